"""Accepting for workers in other processes."""

from concurrent.futures import Future

import pytest

from app.domain.errors import Overloaded, StoreUnavailable
from app.domain.execution import Status
from app.domain.ledger import Outcome
from app.engine.dispatcher import Dispatcher
from app.engine.elsewhere import FULL, Elsewhere
from tests.engine.rig import PATIENCE

NOTE = {"id": "note", "uses": "recorder", "with": {"value": 1}}


class Bell:
    """Counts its rings."""

    def __init__(self):
        self.rings = 0

    def ring(self):
        self.rings += 1


class Clock:
    """Seconds that pass when told to."""

    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def bell():
    return Bell()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def door(make_rig, bell, clock):
    """A process that accepts, with two seats, and executes nothing."""
    rig = make_rig()
    rig.line = Elsewhere(
        rig.store.processes, bell, process=rig.ownership.id, seats=2, clock=clock
    )
    rig.dispatcher = Dispatcher(rig.house, rig.line)
    return rig


def test_what_is_accepted_is_owed_work_and_the_bell_rings_after_the_commit(door, bell):
    execution = door.submit(door.workflow(NOTE))

    stored = door.get(execution)
    assert (stored.status, stored.owner) == (Status.QUEUED, None)
    assert stored.seat == door.ownership.id
    assert bell.rings == 1


def test_a_worker_elsewhere_runs_it_and_whoever_waits_here_is_told(door, make_rig):
    execution = door.submit(door.workflow(NOTE), awaited=True)
    worker = make_rig(store=door.store)
    worker.engine.start()

    ended = door.dispatcher.wait("tenant_1", execution.id, PATIENCE)

    assert ended is not None
    assert ended.status is Status.SUCCESS
    worker.engine.stop()


def test_a_cancel_from_here_stops_what_runs_there(door, make_rig):
    gate = {"id": "gate", "uses": "gate", "with": {}}
    worker = make_rig(store=door.store)
    execution = door.submit(door.workflow(gate))
    worker.engine.start()
    assert worker.outside.begun.wait(PATIENCE)

    asked = door.dispatcher.cancel("tenant_1", execution.id)

    assert (asked.status, asked.cancel_requested) == (Status.RUNNING, True)
    worker.until(execution, Status.CANCELLED)
    worker.engine.stop()


def test_the_store_refuses_what_finds_no_seat_and_that_is_in_the_books(door, bell):
    workflow = door.workflow(NOTE)
    for _ in range(2):
        door.submit(workflow)

    with pytest.raises(Overloaded, match="queue is full"):
        door.submit(workflow)

    assert bell.rings == 2
    assert door.dispatcher.stats().shed == 1
    door.refusals.flush()
    assert door.store.ledger.balance("tenant_1").door[Outcome.SHED] == 1


def test_a_full_house_is_not_asked_again_at_once(door, clock, monkeypatch):
    workflow = door.workflow(NOTE)
    for _ in range(2):
        door.submit(workflow)
    with pytest.raises(Overloaded):
        door.submit(workflow)
    asked = []
    add = door.store.executions.add

    def counting(*args, **options):
        asked.append(args)
        return add(*args, **options)

    monkeypatch.setattr(door.store.executions, "add", counting)

    for _ in range(5):
        with pytest.raises(Overloaded):
            door.submit(workflow)
    assert asked == []

    clock.now += FULL
    with pytest.raises(Overloaded):
        door.submit(workflow)
    assert len(asked) == 1
    assert door.dispatcher.stats().shed == 7


def test_the_figures_are_those_of_all_workers(door, make_rig):
    worker = make_rig(store=door.store, workers=3, queue=4, kind="worker")
    worker.ownership.acquire()
    door.submit(door.workflow(NOTE))

    stats = door.dispatcher.stats()

    assert (stats.workers, stats.capacity) == (3, 7)
    assert (stats.busy, stats.queued) == (0, 1)


def test_the_last_figures_are_told_while_the_store_cannot_be_read(door, monkeypatch):
    door.submit(door.workflow(NOTE))
    before = door.line.last_stats()

    def failing():
        raise StoreUnavailable("it is gone")

    monkeypatch.setattr(door.store.processes, "crew", failing)

    assert before.queued == 1
    assert door.line.last_stats() == before


def test_a_store_that_fails_says_nothing_about_seats(door, monkeypatch):
    def failing(*_, **__):
        future: Future[str] = Future()
        future.set_exception(StoreUnavailable("it is gone"))
        return future

    workflow = door.workflow(NOTE)
    monkeypatch.setattr(door.store.executions, "add", failing)
    with pytest.raises(StoreUnavailable):
        door.submit(workflow)

    door.line.reserve()
