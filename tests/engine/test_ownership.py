"""Who lives, who has died, and who only seemed to."""

import subprocess
import sys
import threading

import pytest

from app.domain import times
from app.domain.execution import Status
from app.domain.process import Kind, Process
from app.engine.leases import LeaseOwnership
from app.engine.ownership import FileOwnership
from app.store.memory import MemoryStore

LEASE = 30.0
GATE = {"id": "gate", "uses": "gate", "with": {}}


class Clock:
    """Seconds that pass when told to."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def process(name):
    return Process(
        id=name, kind=Kind.WORKER, workers=1, queue=1, started_at=times.now()
    )


@pytest.fixture
def books():
    return MemoryStore().processes


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def mine(books, clock):
    lease = LeaseOwnership(process("mine"), books, lease=LEASE, clock=clock)
    lease.acquire()
    return lease


@pytest.fixture
def locks(books, tmp_path):
    def make(name):
        return FileOwnership(tmp_path, process(name), books)

    return make


def test_a_process_that_holds_its_lock_is_not_dead(locks):
    mine, other = locks("mine"), locks("other")
    mine.acquire()
    other.acquire()

    assert mine.dead() == []

    other.resign()
    other.release()
    assert mine.dead() == ["other"]


def test_a_killed_process_is_dead_although_its_file_stays(locks, books, tmp_path):
    holder = (
        "import fcntl, sys; handle = open(sys.argv[1], 'w');"
        " fcntl.flock(handle, fcntl.LOCK_EX); print(flush=True); sys.stdin.read()"
    )
    path = tmp_path / "other.lock"
    books.add(process("other"))
    holding = subprocess.Popen(
        [sys.executable, "-c", holder, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holding.stdout
    holding.stdout.readline()
    mine = locks("mine")
    assert mine.dead() == []

    holding.kill()
    holding.communicate()

    assert path.exists()
    assert mine.dead() == ["other"]
    mine.forget("other")
    assert not list(tmp_path.iterdir())
    assert books.others("mine") == []


def test_a_lease_is_extended_once_in_a_third_of_it(mine, books, clock):
    books.remove("mine")  # so that extending it would fail

    clock.now += LEASE / 3 - 1
    assert mine.keep()

    clock.now += 1
    assert not mine.keep()


def test_who_could_not_extend_its_lease_in_time_is_not_sure_any_more(mine, clock):
    clock.now += LEASE - 1
    assert mine.is_sure

    clock.now += 1
    assert not mine.is_sure

    assert mine.keep()
    assert mine.is_sure


def test_a_process_whose_lease_was_taken_away_is_told(mine, books, clock):
    books.extend("mine", lease=0)
    books.expire("other")

    clock.now += LEASE / 3
    assert not mine.keep()


def test_a_process_whose_lease_has_run_out_is_dead(mine, books):
    books.add(process("other"), lease=0)
    books.add(process("third"), lease=LEASE)

    assert mine.dead() == ["other"]

    mine.forget("other")
    assert mine.dead() == []


def test_who_was_cut_off_from_the_store_gives_others_time_to_show_up(
    mine, books, clock
):
    books.add(process("other"), lease=0)
    clock.now += LEASE + 1
    assert mine.dead() == []

    assert mine.keep()
    assert mine.dead() == []

    clock.now += LEASE / 2
    assert mine.keep()
    assert mine.dead() == []

    clock.now += LEASE / 2
    assert mine.keep()
    assert mine.dead() == ["other"]


def test_who_resigns_is_dead_at_once(mine, books):
    other = LeaseOwnership(process("other"), books, lease=LEASE)
    other.acquire()
    assert mine.dead() == []

    other.resign()

    assert mine.dead() == ["other"]


def test_who_is_taken_for_dead_stops_what_it_runs_and_leaves(make_rig, tmp_path):
    left = threading.Event()
    frozen = make_rig(lease=0.03, leave=left.set)
    frozen.engine.start()
    started = frozen.submit(frozen.workflow(GATE))
    assert frozen.outside.begun.wait(5)

    frozen.store.processes.extend(frozen.ownership.id, lease=0)
    heir = make_rig(store=frozen.store, lease=30)
    assert heir.engine._recovery.sweep() == 1

    assert left.wait(5)
    frozen.pool.join()
    frozen.engine.stop()
    now = heir.get(started)
    assert (now.status, now.owner, now.attempt) == (Status.QUEUED, None, 2)
