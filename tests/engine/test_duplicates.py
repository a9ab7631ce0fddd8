"""What comes again is not run again."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from app.domain import times
from app.domain.dedupe import LIFE, key_of_id
from app.domain.errors import Conflict, Duplicate, Overloaded
from app.domain.execution import Status
from app.domain.ledger import Outcome
from app.engine.sweeping import SWEPT

GATE = {"id": "gate", "uses": "gate", "with": {}}
STEP = {"id": "step", "uses": "recorder", "with": {}}
KEY = key_of_id("one")


def tried(rig, workflow, key=KEY):
    """Submit, and return the id that counts and whether it is a duplicate."""
    try:
        return rig.submit(workflow, key=key).id, False
    except Duplicate as known:
        return known.execution_id, True


def test_a_duplicate_is_told_which_one_was_first_and_runs_nothing(rig):
    workflow = rig.workflow(STEP)
    first = rig.submit(workflow, key=KEY)
    rig.until(first, Status.SUCCESS)

    with pytest.raises(Duplicate) as known:
        rig.submit(workflow, key=KEY)

    assert known.value.execution_id == first.id
    assert len(rig.outside.calls) == 1


def test_of_100_copies_at_once_one_runs(make_rig):
    rig = make_rig(workers=2, queue=98)
    workflow = rig.workflow(STEP)

    with ThreadPoolExecutor(100) as threads:
        told = list(threads.map(lambda _: tried(rig, workflow), range(100)))

    assert len({first for first, _ in told}) == 1
    assert sum(again for _, again in told) == 99
    started = rig.store.executions.get("tenant_1", told[0][0])
    rig.until(started, Status.SUCCESS)
    assert len(rig.outside.calls) == 1
    books = rig.store.ledger.balance("tenant_1")
    assert books.door == {Outcome.RECEIVED: 100, Outcome.DUPLICATE: 99}
    assert books.accounted == 100


def test_a_duplicate_gives_its_seat_back(make_rig):
    rig = make_rig(workers=1, queue=1)
    workflow = rig.workflow(GATE)
    first = rig.submit(workflow, key=KEY)

    for _ in range(5):
        assert tried(rig, workflow) == (first.id, True)

    assert tried(rig, workflow, key_of_id("two"))[1] is False
    rig.outside.open.set()
    rig.until(first, Status.SUCCESS)


def test_a_full_house_tells_a_duplicate_to_come_back(make_rig):
    rig = make_rig(workers=1, queue=0)
    workflow = rig.workflow(GATE)
    first = rig.submit(workflow, key=KEY)

    with pytest.raises(Overloaded):
        rig.submit(workflow, key=KEY)

    rig.outside.open.set()
    rig.until(first, Status.SUCCESS)


def test_a_cancellation_that_forgets_the_key_lets_the_next_one_run(rig):
    workflow = rig.workflow(GATE)
    first = rig.submit(workflow, key=KEY)
    assert rig.outside.begun.wait(5)

    rig.dispatcher.cancel("tenant_1", first.id, forget=KEY)

    rig.until(first, Status.CANCELLED)
    while rig.pool.idle() == 0:
        threading.Event().wait(0.001)
    assert tried(rig, workflow)[1] is False


def test_any_other_cancellation_keeps_the_key(rig):
    workflow = rig.workflow(GATE)
    first = rig.submit(workflow, key=KEY)
    assert rig.outside.begun.wait(5)

    rig.dispatcher.cancel("tenant_1", first.id)

    rig.until(first, Status.CANCELLED)
    while rig.pool.idle() == 0:
        threading.Event().wait(0.001)
    assert tried(rig, workflow) == (first.id, True)


def test_an_execution_that_is_over_keeps_its_key_from_a_late_cancellation(rig):
    workflow = rig.workflow(STEP)
    first = rig.submit(workflow, key=KEY)
    rig.until(first, Status.SUCCESS)

    with pytest.raises(Conflict):
        rig.dispatcher.cancel("tenant_1", first.id, forget=KEY)

    assert tried(rig, workflow) == (first.id, True)


def test_who_waits_for_an_execution_is_known_while_he_does(rig):
    first = rig.submit(rig.workflow(GATE))
    waiter = threading.Thread(
        target=rig.dispatcher.wait, args=("tenant_1", first.id, 5)
    )
    assert not rig.dispatcher.is_waited_for(first.id)

    waiter.start()
    while not rig.dispatcher.is_waited_for(first.id):
        threading.Event().wait(0.001)

    rig.outside.open.set()
    waiter.join(5)
    assert not rig.dispatcher.is_waited_for(first.id)


def test_the_chores_sweep_what_has_expired_and_nothing_else(rig):
    workflow = rig.workflow(STEP)
    kept = rig.submit(workflow, key=KEY)
    rig.until(kept, Status.SUCCESS)
    long_ago = times.now() - LIFE - timedelta(seconds=1)
    for n in range(SWEPT + 20):
        rig.house.store._state.dedupe["tenant_1", "wf_1", key_of_id(str(n))] = (
            "exec_1",
            long_ago + LIFE,
        )

    rig.engine._do_chores()

    assert len(rig.house.store._state.dedupe) == 1
    assert tried(rig, workflow) == (kept.id, True)
