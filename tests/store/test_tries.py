from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from app.domain.limit import NOW, Delay, Rate
from tests.store.company import NOON

SECOND = timedelta(seconds=1)
TWO = Rate(burst=2, every=10 * SECOND)
THREE = Rate(burst=3, every=10 * SECOND)
DELAY = Delay(free=2, first=SECOND, most=60 * SECOND, memory=timedelta(hours=1))


def take(store, *, at=NOON, **limits):
    keys = {name.encode(): limit for name, limit in limits.items()}
    return max(store.tries.take(keys, at=at), NOW) / SECOND


def test_tries_are_counted_until_the_limit_says_to_wait(store):
    assert [take(store, a=TWO) for _ in range(3)] == [0, 0, 10]
    assert take(store, a=TWO, at=NOON + 10 * SECOND) == 0
    assert take(store, a=TWO, at=NOON + 10 * SECOND) == 10


def test_each_key_has_a_tally_of_its_own(store):
    assert [take(store, a=TWO) for _ in range(3)][-1] == 10

    assert take(store, b=TWO) == 0


def test_what_one_limit_refuses_is_counted_under_no_key(store):
    assert [take(store, a=TWO) for _ in range(2)] == [0, 0]
    assert take(store, a=TWO, b=THREE) == 10

    assert [take(store, b=THREE) for _ in range(4)] == [0, 0, 0, 10]


def test_the_longest_wait_is_told(store):
    for _ in range(2):
        take(store, a=TWO, b=DELAY)

    assert take(store, a=TWO, b=DELAY) == 10
    assert take(store, b=DELAY) == 1


def test_what_is_cleared_begins_anew(store):
    for _ in range(2):
        take(store, a=DELAY)
    assert take(store, a=DELAY) == 1

    store.tries.clear(b"a")
    store.tries.clear(b"never tried")

    assert take(store, a=DELAY) == 0


def test_of_sixteen_at_once_no_more_than_the_limit_get_through(store):
    with ThreadPoolExecutor(16) as people:
        waits = list(people.map(lambda _: take(store, a=THREE, b=TWO), range(16)))

    assert waits.count(0) == 2


def test_what_has_expired_is_swept_and_nothing_else(store):
    take(store, a=TWO, b=DELAY)

    assert store.tries.sweep(NOON + 9 * SECOND, limit=10) == 0
    assert store.tries.sweep(NOON + 10 * SECOND, limit=10) == 1
    assert store.tries.sweep(NOON + timedelta(hours=1), limit=10) == 1
    assert store.tries.sweep(NOON + timedelta(hours=1), limit=10) == 0
