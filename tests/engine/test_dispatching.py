"""From a request to run to its end."""

import json
import logging
import threading
from concurrent.futures import Future

import pytest

from app.domain.errors import Conflict, NotFound, Overloaded, StoreUnavailable
from app.domain.execution import Status, StepStatus
from app.domain.ledger import Outcome
from app.telemetry import logs

GATE = {"id": "gate", "uses": "gate", "with": {}}
AFTER = {"id": "after", "uses": "recorder", "with": {}}


def test_records_an_execution_before_it_answers(rig):
    started = rig.submit(rig.workflow(AFTER))

    stored = rig.get(started)
    assert stored.id == started.id
    assert stored.owner in (rig.ownership.id, None)


def test_a_full_house_refuses_at_once_and_leaves_no_row(make_rig):
    rig = make_rig(workers=1, queue=1)
    workflow = rig.workflow(GATE)
    running, waiting = rig.submit(workflow), rig.submit(workflow)
    assert rig.outside.begun.wait(5)

    with pytest.raises(Overloaded):
        rig.submit(workflow)

    rig.refusals.flush()
    rig.outside.open.set()
    for execution in (running, waiting):
        rig.until(execution, Status.SUCCESS)
    books = rig.store.ledger.balance("tenant_1")
    assert books.received == books.accounted == 3
    assert books.door[Outcome.SHED] == 1


def test_a_seat_is_free_again_after_the_end(make_rig):
    rig = make_rig(workers=1, queue=0)
    workflow = rig.workflow(AFTER)

    for _ in range(20):
        rig.finish(workflow)
        while rig.pool.idle() == 0:
            threading.Event().wait(0.001)

    assert len(rig.outside.calls) == 20


def test_a_seat_is_free_again_when_the_store_fails(make_rig, monkeypatch):
    rig = make_rig(workers=1, queue=0)
    workflow = rig.workflow(AFTER)
    rig.store.close()

    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            rig.submit(workflow)

    assert rig.pool.stats().queued == 0
    assert set(rig.refusals._counts.values()) == {3}
    assert {outcome for _, outcome in rig.refusals._counts} == {Outcome.SHED}
    rig.pool.reserve().free()


def test_an_event_that_could_not_be_committed_is_in_the_books_like_any_refusal(
    make_rig, monkeypatch
):
    rig = make_rig(workers=1, queue=0)
    workflow = rig.workflow(AFTER)
    failed: Future[str] = Future()
    failed.set_exception(StoreUnavailable("the disk is full"))
    with monkeypatch.context() as patch:
        patch.setattr(rig.store.executions, "add", lambda *_, **__: failed)
        with pytest.raises(StoreUnavailable):
            rig.submit(workflow)

    rig.refusals.flush()

    books = rig.store.ledger.balance("tenant_1")
    assert books.received == books.accounted == 1
    assert books.door[Outcome.SHED] == 1
    assert rig.finish(workflow).status is Status.SUCCESS


def test_a_cancelled_execution_stops_where_it_waits_and_starts_no_further_step(rig):
    started = rig.submit(rig.workflow(GATE, AFTER))
    assert rig.outside.begun.wait(5)

    asked = rig.dispatcher.cancel("tenant_1", started.id)

    assert (asked.status, asked.cancel_requested) == (Status.RUNNING, True)
    assert rig.until(started, Status.CANCELLED)
    assert [status.status for status in rig.steps(started).values()] == [
        StepStatus.CANCELLED
    ]
    assert len(rig.outside.calls) == 1


def test_a_cancelled_execution_that_was_queued_never_runs_and_gives_its_seat(make_rig):
    rig = make_rig(workers=1, queue=1)
    running = rig.submit(rig.workflow(GATE))
    assert rig.outside.begun.wait(5)
    queued = rig.submit(rig.workflow(AFTER))

    cancelled = rig.dispatcher.cancel("tenant_1", queued.id)

    assert cancelled.status is Status.CANCELLED
    another = rig.submit(rig.workflow(AFTER))
    rig.outside.open.set()
    rig.until(running, Status.SUCCESS)
    rig.until(another, Status.SUCCESS)
    assert len(rig.outside.calls) == 2


def test_cancelling_tells_what_is_over_and_what_is_not_there(rig):
    ended = rig.finish(rig.workflow(AFTER))

    with pytest.raises(Conflict):
        rig.dispatcher.cancel("tenant_1", ended.id)
    with pytest.raises(NotFound):
        rig.dispatcher.cancel("tenant_2", ended.id)


def test_a_wait_ends_without_an_answer_while_the_run_goes_on(rig):
    started = rig.submit(rig.workflow(GATE))

    assert rig.dispatcher.wait("tenant_1", started.id, 0.01) is None

    rig.outside.open.set()
    ended = rig.dispatcher.wait("tenant_1", started.id, 5)
    assert ended is not None
    assert ended.status is Status.SUCCESS


def test_the_line_that_dashboards_count_has_its_fields_once(rig, caplog):
    caplog.set_level("INFO")

    ended = rig.finish(rig.workflow(AFTER))
    rig.pool.join()

    (line,) = [r.__dict__ for r in caplog.records if r.message == "Workflow executed"]
    assert line["execution_id"] == ended.id
    assert line["workflow_id"] == ended.workflow_id
    assert (line["tenant_id"], line["user_id"]) == ("tenant_1", "user_1")
    assert line["status"] == "success"
    assert line["duration_ms"] >= 0


def test_what_the_request_was_is_known_where_the_commit_is_logged(rig, capsys):
    lines = logs.configure(level="INFO", debug_cors=False)
    with logs.bound(request_id="req_7"):
        rig.submit(rig.workflow(AFTER))
    logging.getLogger().removeHandler(lines)

    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (queued,) = [line for line in printed if line["message"] == "Execution queued"]
    assert queued["request_id"] == "req_7"
