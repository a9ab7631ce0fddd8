"""The bounded pool."""

import threading

import pytest

from app.domain.errors import Overloaded
from app.engine.pool import WorkerPool


class Gate:
    """A job that waits, and says so."""

    def __init__(self):
        self.begun, self.open = threading.Event(), threading.Event()

    def __call__(self):
        self.begun.set()
        assert self.open.wait(5)


@pytest.fixture
def gate():
    found = Gate()
    yield found
    found.open.set()


def has_room(pool):
    try:
        pool.reserve().free()
    except Overloaded:
        return False
    return True


def occupy(pool, gate):
    pool.reserve().run(gate)
    assert gate.begun.wait(5)


def test_takes_as_many_jobs_as_it_has_threads_and_places_to_wait(gate):
    pool = WorkerPool(workers=2, queue=3)

    seats = [pool.reserve() for _ in range(5)]

    assert len(seats) == 5
    with pytest.raises(Overloaded, match="full"):
        pool.reserve()
    assert pool.stats().shed == 1


def test_gives_a_seat_back_when_its_job_ends(gate):
    pool = WorkerPool(workers=1, queue=0)
    occupy(pool, gate)
    gate.open.set()
    pool.join()

    assert has_room(pool)


def test_gives_a_seat_back_that_was_not_used():
    pool = WorkerPool(workers=1, queue=0)

    pool.reserve().free()

    assert has_room(pool)


def test_says_so_when_a_job_breaks_and_gives_its_seat_back(caplog):
    pool = WorkerPool(workers=1, queue=0)

    pool.reserve().run(lambda: 1 / 0)
    pool.join()

    assert "Job broke" in caplog.text
    assert "ZeroDivisionError" in caplog.text
    assert has_room(pool)


def test_counts_what_runs_and_what_waits(gate):
    pool = WorkerPool(workers=1, queue=2)
    occupy(pool, gate)
    pool.reserve().run(gate)

    stats = pool.stats()

    assert (stats.workers, stats.capacity) == (1, 3)
    assert (stats.busy, stats.queued) == (1, 1)


def test_withdraws_a_waiting_job_and_its_seat_but_not_a_running_one(gate):
    pool = WorkerPool(workers=1, queue=1)
    occupy(pool, gate)
    ran = threading.Event()
    pool.reserve().run(ran.set)

    assert pool.withdraw()
    assert not pool.withdraw()

    assert has_room(pool)
    gate.open.set()
    pool.join()
    assert not ran.is_set()


def test_takes_a_job_without_a_seat_only_while_a_thread_is_idle(gate):
    pool = WorkerPool(workers=1, queue=1)
    done = threading.Event()

    assert pool.idle() == 1
    assert pool.offer(gate, done.set)
    assert gate.begun.wait(5)
    assert pool.idle() == 0
    assert not pool.offer(gate, done.set)

    gate.open.set()
    assert done.wait(5)


def test_offers_cost_no_seat(gate):
    pool = WorkerPool(workers=1, queue=0)

    pool.offer(gate, lambda: None)

    assert has_room(pool)


def test_takes_nothing_after_it_is_closed_and_frees_the_seats(gate):
    pool = WorkerPool(workers=1, queue=2)
    occupy(pool, gate)
    ran, late = threading.Event(), threading.Event()
    pool.reserve().run(ran.set)

    pool.close()
    with pytest.raises(RuntimeError):
        pool.reserve().run(late.set)

    gate.open.set()
    assert ran.wait(5)
    pool.join()
    assert not late.is_set()
    assert len([pool.reserve() for _ in range(3)]) == 3
