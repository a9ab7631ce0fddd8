from datetime import UTC, datetime, timedelta

from app.domain.limit import NOW, Delay, Rate

NOON = datetime(2026, 1, 8, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
RATE = Rate(burst=3, every=10 * SECOND)
DELAY = Delay(free=3, first=SECOND, most=60 * SECOND, memory=timedelta(days=1))


def tried(limit, times):
    """What is remembered after tries at these seconds."""
    tally = None
    for each in times:
        at = NOON + each * SECOND
        assert limit.wait(tally, at) <= NOW, each
        tally = limit.after(tally, at)
    return tally


def wait(limit, tally, second):
    return max(limit.wait(tally, NOON + second * SECOND), NOW) / SECOND


def test_a_rate_lets_a_burst_through_and_then_one_each_interval():
    tally = tried(RATE, [0, 0, 0])
    assert wait(RATE, tally, 0) == 10
    assert wait(RATE, tally, 9) == 1

    tally = tried(RATE, [0, 0, 0, 10])
    assert wait(RATE, tally, 10) == 10


def test_a_rate_that_rested_lets_no_more_than_a_burst_through():
    tally = tried(RATE, [0, 0, 0, 1000, 1000, 1000])

    assert wait(RATE, tally, 1000) == 10


def test_a_rates_tally_expires_when_it_says_nothing_any_more():
    tally = tried(RATE, [0, 0])

    assert tally.expires_at == NOON + 20 * SECOND
    assert RATE.after(tally, tally.expires_at) == RATE.after(None, tally.expires_at)


def test_a_delay_doubles_after_the_free_tries_up_to_its_most():
    tally, waits, second = None, [], 0
    for _ in range(12):
        tally = DELAY.after(tally, NOON + second * SECOND)
        waits.append(wait(DELAY, tally, second))
        second += waits[-1]

    assert waits == [0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60]


def test_a_delay_never_shuts_anybody_out():
    tally = None
    for second in range(0, 100_000, 60):
        tally = DELAY.after(tally, NOON + second * SECOND)

    assert wait(DELAY, tally, second) == 60


def test_a_delay_forgives_after_its_memory():
    tally = tried(DELAY, [0, 0, 0])
    a_day_later = NOON + timedelta(days=1)

    assert tally.expires_at == a_day_later
    assert DELAY.after(tally, a_day_later).count == 1
