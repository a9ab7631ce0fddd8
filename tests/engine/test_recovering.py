"""What goes on when a process ends before its executions do."""

import pytest

from app.domain import times
from app.domain.errors import StepFailed, StoreUnavailable
from app.domain.execution import Status

BEFORE = {"id": "before", "uses": "recorder", "with": {"value": 1}}
GATE = {"id": "gate", "uses": "gate", "with": {}}
AFTER = {
    "id": "after",
    "uses": "recorder",
    "with": {"value": "{{ steps.before.output }}"},
}


@pytest.fixture
def dead(make_rig):
    """A process that was killed in the middle of the step `gate`."""
    dying = make_rig(queue=1)
    dying.ownership.acquire()
    dying.started = dying.submit(dying.workflow(BEFORE, GATE, AFTER))
    dying.queued = dying.submit(dying.workflow(BEFORE))
    assert dying.outside.begun.wait(5)
    dying.ownership.release()
    return dying


@pytest.fixture
def counted():
    """Return what a process has counted."""

    def read(rig, name):
        text, _ = rig.house.metrics.render()
        [line] = [
            each
            for each in text.decode().splitlines()
            if each.startswith(f"sluice_{name}_total ")
        ]
        return float(line.split()[1])

    return read


def test_goes_on_at_the_first_unfinished_step_with_the_same_key(dead, make_rig):
    heir = make_rig(store=dead.store, workers=2)
    heir.outside.open.set()

    heir.engine.start()
    ended = heir.until(dead.started, Status.SUCCESS)
    heir.until(dead.queued, Status.SUCCESS)
    heir.engine.stop()

    key = ended.id
    assert sorted(heir.outside.calls, key=str) == sorted(
        [(f"{key}:gate", None), (f"{key}:after", 1), (f"{dead.queued.id}:before", 1)],
        key=str,
    )
    assert ended.attempt == 2
    assert dead.outside.calls == [(f"{key}:before", 1), (f"{key}:gate", None)]


def test_what_the_dead_process_still_writes_counts_for_nothing(dead, make_rig):
    heir = make_rig(store=dead.store, workers=2)
    heir.engine._recovery.sweep()

    dead.outside.open.set()  # it was only thought to be dead
    dead.pool.join()

    assert heir.get(dead.started).status is Status.QUEUED
    assert dead.outside.calls[-1] == (f"{dead.started.id}:gate", None)


def test_what_was_taken_over_and_what_was_lost_is_counted(dead, make_rig, counted):
    heir = make_rig(store=dead.store, workers=2)
    heir.engine._recovery.sweep()
    dead.outside.open.set()
    dead.pool.join()

    assert counted(heir, "taken_over") == 2
    assert counted(dead, "leases_lost") == 1


@pytest.mark.parametrize("how", ["ends", "is interrupted"])
def test_what_ends_late_in_a_process_taken_for_dead_is_counted_as_lost(
    make_rig, counted, how
):
    slow = make_rig()
    slow.ownership.acquire()
    started = slow.submit(slow.workflow(GATE))
    assert slow.outside.begun.wait(5)
    slow.ownership.release()
    heir = make_rig(store=slow.store)
    heir.engine._recovery.sweep()

    if how == "ends":
        slow.outside.open.set()
    else:
        slow.house.running.interrupt()
    slow.pool.join()

    assert heir.get(started).status is Status.QUEUED
    assert counted(slow, "leases_lost") == 1


def test_what_a_stop_interrupts_is_counted(make_rig, counted):
    rig = make_rig()
    rig.engine.start()
    rig.submit(rig.workflow(GATE))
    assert rig.outside.begun.wait(5)

    rig.engine.begin_drain()
    rig.engine.abort()
    rig.pool.join()
    rig.engine.stop()

    assert counted(rig, "drain_overruns") == 1
    assert counted(rig, "handed_back") == 1
    assert counted(rig, "leases_lost") == 0


def test_a_living_process_keeps_what_it_has(make_rig):
    living = make_rig()
    living.engine.start()
    started = living.submit(living.workflow(GATE))
    assert living.outside.begun.wait(5)
    other = make_rig(store=living.store)

    assert other.engine._recovery.sweep() == 0

    assert living.get(started).owner == living.ownership.id
    living.outside.open.set()
    living.until(started, Status.SUCCESS)
    living.engine.stop()


def test_owed_work_waits_for_an_idle_thread(dead, make_rig):
    heir = make_rig(store=dead.store, workers=1)
    heir.engine._recovery.sweep()

    heir.feeder.feed()

    assert heir.outside.begun.wait(5)
    assert heir.get(dead.queued).owner is None
    heir.outside.open.set()
    heir.until(dead.started, Status.SUCCESS)
    while heir.get(dead.queued).status is not Status.SUCCESS:
        heir.feeder.feed()


def test_resumes_in_failure_handling_when_the_step_had_failed(make_rig):
    dying = make_rig()
    dying.outside.failures = [StepFailed("http-status", "answered 404", output="no")]
    workflow = dying.workflow(BEFORE, on_failure=[GATE, AFTER])
    started = dying.submit(workflow)
    assert dying.outside.begun.wait(5)
    dying.ownership.acquire()
    dying.ownership.release()
    heir = make_rig(store=dying.store)
    heir.outside.open.set()

    heir.engine.start()
    ended = heir.until(started, Status.FAILED)
    heir.engine.stop()

    assert (ended.error.code, ended.error.step) == ("http-status", "before")
    assert heir.outside.calls == [
        (f"{ended.id}:gate", None),
        (f"{ended.id}:after", "no"),
    ]


def test_a_drain_ends_what_runs_and_leaves_what_waits(make_rig):
    rig = make_rig(workers=1, queue=2)
    rig.engine.start()
    running = rig.submit(rig.workflow(GATE))
    assert rig.outside.begun.wait(5)
    queued = rig.submit(rig.workflow(BEFORE))

    rig.engine.begin_drain()
    late = rig.submit(rig.workflow(BEFORE))
    assert rig.engine.running() == 1
    rig.outside.open.set()
    rig.until(running, Status.SUCCESS)
    rig.pool.join()
    rig.engine.stop()

    for execution in (queued, late):
        left = rig.get(execution)
        assert (left.status, left.owner) == (Status.QUEUED, None)
    assert len(rig.outside.calls) == 1


def test_what_overstays_a_drain_is_handed_over_and_never_left_running(make_rig):
    rig = make_rig()
    rig.engine.start()
    started = rig.submit(rig.workflow(BEFORE, GATE, AFTER))
    assert rig.outside.begun.wait(5)

    rig.engine.begin_drain()
    rig.engine.abort()
    rig.pool.join()
    rig.engine.stop()

    left = rig.get(started)
    assert (left.status, left.owner, left.attempt) == (Status.QUEUED, None, 2)
    assert list(rig.steps(started)) == ["before", "gate"]

    heir = make_rig(store=rig.store)
    heir.outside.open.set()
    heir.engine.start()
    heir.until(started, Status.SUCCESS)
    heir.engine.stop()
    assert [key for key, _ in heir.outside.calls] == [
        f"{started.id}:gate",
        f"{started.id}:after",
    ]


def test_an_execution_is_not_stuck_when_its_end_cannot_be_stored(rig, monkeypatch):
    refused = iter([StoreUnavailable("the disk is full")] * 2)
    finish = rig.store.executions.finish

    def failing(*args, **kwargs):
        for error in refused:
            raise error
        return finish(*args, **kwargs)

    monkeypatch.setattr(rig.store.executions, "finish", failing)
    started = rig.submit(rig.workflow(BEFORE))
    rig.until(started, Status.RUNNING)
    rig.pool.join()

    rig.settlement.retry()
    rig.settlement.retry()

    assert rig.get(started).status is Status.SUCCESS


def test_a_request_to_cancel_reaches_another_process(make_rig):
    rig = make_rig()
    rig.engine.start()
    started = rig.submit(rig.workflow(GATE))
    assert rig.outside.begun.wait(5)

    rig.store.executions.cancel("tenant_1", started.id, at=times.now())

    rig.until(started, Status.CANCELLED)
    rig.engine.stop()


def test_what_a_caller_waits_for_is_finished_in_the_drain(make_rig):
    rig = make_rig(workers=1, queue=2)
    rig.engine.start()
    rig.submit(rig.workflow(GATE))
    assert rig.outside.begun.wait(5)
    wanted, other = (rig.submit(rig.workflow(BEFORE)) for _ in range(2))

    with rig.house.watchers.watching(wanted.id) as watch:
        rig.engine.begin_drain()
        assert rig.engine.running() == 2
        rig.outside.open.set()
        assert watch.wait(5)
    rig.pool.join()
    rig.engine.stop()

    assert rig.get(wanted).status is Status.SUCCESS
    assert rig.get(other).status is Status.QUEUED


def test_who_comes_in_the_drain_and_waits_is_served_here_and_all_others_later(make_rig):
    rig = make_rig(workers=2, queue=2)
    rig.engine.start()
    rig.submit(rig.workflow(GATE))
    assert rig.outside.begun.wait(5)

    rig.engine.begin_drain()
    other = rig.submit(rig.workflow(BEFORE))
    wanted = rig.submit(rig.workflow(BEFORE), awaited=True)
    rig.until(wanted, Status.SUCCESS)
    heir = make_rig(store=rig.store)
    heir.engine.start()
    heir.until(other, Status.SUCCESS)

    rig.outside.open.set()
    rig.pool.join()
    rig.engine.stop()
    heir.engine.stop()


def test_a_run_is_known_to_be_waited_for_before_its_caller_can_wait(make_rig):
    rig = make_rig(workers=1, queue=2)
    rig.engine.start()
    rig.submit(rig.workflow(GATE))
    assert rig.outside.begun.wait(5)
    wanted = rig.submit(rig.workflow(BEFORE), awaited=True)

    rig.engine.begin_drain()
    assert rig.house.watchers.is_watched(wanted.id)
    rig.outside.open.set()
    rig.until(wanted, Status.SUCCESS)

    rig.pool.join()
    rig.engine.stop()
    assert not rig.house.watchers.watched()


def test_what_a_straggler_records_after_the_handover_is_found(make_rig):
    rig = make_rig(queue=2)
    rig.engine.start()
    release = rig.store.executions.release
    late = []

    def straggle(owner, **options):
        count = release(owner, **options)
        late.append(rig.submit(rig.workflow(BEFORE)))
        return count

    rig.store.executions.release = straggle
    rig.engine.stop()
    rig.store.executions.release = release

    heir = make_rig(store=rig.store)
    heir.engine.start()
    for execution in late:
        heir.until(execution, Status.SUCCESS)
    heir.engine.stop()
    assert len(late) >= 2


def test_a_feeder_with_no_idle_thread_leaves_the_store_alone(make_rig):
    rig = make_rig()
    rig.submit(rig.workflow(GATE))
    assert rig.outside.begun.wait(5)
    rig.feeder.feed()
    before = rig.store._state.changes

    for _ in range(10):
        rig.feeder.feed()

    assert rig.store._state.changes - before < 5  # it looks once a second
