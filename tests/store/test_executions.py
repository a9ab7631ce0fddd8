from dataclasses import replace

import pytest

from app.domain import ids
from app.domain.errors import Conflict, NotFound
from app.domain.execution import Failure, Segment, Status, StepStatus
from tests.store.company import HERE, LATER, NOON, payload, step

BYTES = bytes(range(256))

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def start(company, held):
    return company.executions.start(held, at=LATER).result(timeout=5)


def record(company, held, *steps):
    return company.executions.record(held, steps).result(timeout=5)


def journal(company, execution):
    return company.executions.steps(company.id, execution.id)


def test_an_execution_is_read_back_as_it_was_added(company):
    execution = company.accept(key="customer 7", replay_of=ids.new("exec"), trace=TRACE)

    assert company.now(execution) == execution


def test_an_execution_bears_the_name_that_its_workflow_has_now(store, company):
    execution = company.accept()
    store.workflows.change(
        company.id, company.workflow.id, name="New name", is_active=None, at=LATER
    )

    assert company.now(execution) == replace(execution, workflow_name="New name")


def test_a_payload_comes_back_byte_for_byte(company):
    execution, came_in = company.execution(), payload(body=BYTES)

    company.executions.add(execution, came_in).result(timeout=5)

    assert company.executions.payload(company.id, execution.id) == came_in


def test_a_payload_may_say_nothing_about_itself(company):
    execution = company.execution()
    bare = payload(body=b"", content_type=None, headers={}, query={}, path="")

    company.executions.add(execution, bare).result(timeout=5)

    assert company.executions.payload(company.id, execution.id) == bare


def test_an_execution_is_recorded_once(company):
    execution = company.accept()

    again = company.executions.add(execution, payload(body=b"other"))

    with pytest.raises(Conflict):
        again.result(timeout=5)
    assert company.executions.payload(company.id, execution.id) == payload()


@pytest.mark.parametrize("wrong", [{"workflow_id": "wf_none"}, {"version": 2}])
def test_an_execution_needs_a_workflow_and_a_version(company, wrong):
    execution = company.execution(**wrong)

    with pytest.raises(NotFound):
        company.executions.add(execution, payload()).result(timeout=5)

    with pytest.raises(NotFound):
        company.now(execution)
    assert company.store.ledger.balance(company.id).received == 0


def test_an_execution_cannot_use_another_tenants_workflow(company, other):
    execution = company.execution(workflow_id=other.workflow.id)

    with pytest.raises(NotFound):
        company.executions.add(execution, payload()).result(timeout=5)


def test_a_start_opens_a_segment(company):
    queued = company.accept()

    assert start(company, queued)

    assert company.now(queued) == replace(
        queued, status=Status.RUNNING, started_at=LATER, segments=(Segment(LATER),)
    )


def test_only_the_first_start_counts_as_the_start(company):
    queued = company.accept(started_at=NOON, segments=(Segment(NOON, NOON),))

    start(company, queued)

    running = company.now(queued)
    assert running.started_at == NOON
    assert running.segments == (Segment(NOON, NOON), Segment(LATER))


def test_an_execution_starts_once(company):
    queued = company.accept()

    assert [start(company, queued), start(company, queued)] == [True, False]


def test_steps_are_recorded_in_order_and_replaced_by_path(company):
    held = company.run()
    running = step("b", 1, status=StepStatus.RUNNING, output=None, duration_ms=None)
    failure = Failure("http-status", "found 500", "b")
    failed = replace(running, status=StepStatus.FAILED, attempt=2, error=failure)

    assert record(company, held, step("c", 2), running)
    assert record(company, held, failed, step("a", 0, idempotency_key="k:a"))

    assert journal(company, held) == [
        step("a", 0, idempotency_key="k:a"),
        failed,
        step("c", 2),
    ]
    assert company.now(held).status is Status.RUNNING


def test_an_output_comes_back_byte_for_byte(company):
    held = company.run()

    record(company, held, step("a", output=BYTES))

    assert journal(company, held) == [step("a", output=BYTES)]


def test_a_record_without_steps_tells_whether_the_execution_is_held(company):
    held = company.run()

    assert record(company, held)
    assert not record(company, replace(held, fence=held.fence + 1))


def test_finishing_writes_the_last_steps_and_the_outcome(company):
    held = company.run()
    failure = Failure("timeout", "no answer within 30 s", "a")

    assert company.finish(held, steps=[step("a")], status=Status.FAILED, error=failure)

    assert journal(company, held) == [step("a")]
    assert company.now(held) == replace(
        held,
        status=Status.FAILED,
        error=failure,
        segments=(Segment(NOON, LATER),),
        finished_at=LATER,
    )


def test_an_execution_finishes_once(company):
    held = company.run()

    assert company.finish(held)
    assert not company.finish(held, status=Status.FAILED, steps=[step("late")])
    assert not record(company, held, step("later"))

    assert company.now(held).status is Status.SUCCESS
    assert journal(company, held) == []


def test_what_is_only_queued_can_be_neither_recorded_nor_finished(company):
    queued = company.accept()

    assert not record(company, queued, step("a"))
    assert not company.finish(queued, steps=[step("a")])

    assert company.now(queued) == queued
    assert journal(company, queued) == []


def test_work_handed_over_without_waiting_is_carried_out_in_order(company):
    execution = company.execution()
    futures = [
        company.executions.add(execution, payload()),
        company.executions.start(execution, at=NOON),
        company.executions.record(execution, [step("a", status=StepStatus.RUNNING)]),
        company.executions.record(execution, [step("a")]),
        company.executions.finish(
            execution, [], status=Status.SUCCESS, error=None, segments=[], at=LATER
        ),
        company.executions.record(execution, [step("too late")]),
    ]

    answers = [each.result(timeout=5) for each in futures]

    assert answers == [execution.id, True, True, True, True, False]
    assert journal(company, execution) == [step("a")]


def test_a_cancellation_comes_after_what_was_handed_over_before_it(company):
    execution = company.execution()
    company.executions.add(execution, payload())
    company.executions.start(execution, at=NOON)

    cancelled = company.executions.cancel(company.id, execution.id, at=LATER)

    assert cancelled.status is Status.RUNNING
    assert cancelled.cancel_requested


def test_a_future_calls_back_once_the_change_can_be_read(company):
    execution, seen = company.execution(), []

    future = company.executions.add(execution, payload())
    future.add_done_callback(lambda _: seen.append(company.now(execution)))

    future.result(timeout=5)
    company.store.check()
    assert seen == [execution]


def test_another_tenant_cannot_read_an_execution(company, other):
    held = company.run()
    record(company, held, step("a"))

    with pytest.raises(NotFound):
        other.executions.get(other.id, held.id)
    with pytest.raises(NotFound):
        other.executions.payload(other.id, held.id)
    assert other.executions.steps(other.id, held.id) == []


def test_another_tenant_cannot_change_an_execution(company, other):
    queued, held = company.accept(), company.run()
    stolen = replace(held, tenant_id=other.id)

    assert not start(company, replace(queued, tenant_id=other.id))
    assert not record(company, stolen, step("a"))
    assert not company.finish(stolen)
    with pytest.raises(NotFound):
        other.executions.cancel(other.id, queued.id, at=LATER)

    assert company.now(queued) == queued
    assert company.now(held) == held


def test_two_tenants_may_have_an_execution_of_one_id(company, other):
    mine = company.accept()

    theirs = other.accept(id=mine.id)

    assert company.now(mine) == mine
    assert other.now(theirs) == theirs


def test_an_unknown_execution_is_not_found(company):
    with pytest.raises(NotFound):
        company.executions.get(company.id, "exec_none")
    with pytest.raises(NotFound):
        company.executions.payload(company.id, "exec_none")
    assert company.executions.steps(company.id, "exec_none") == []
    assert not start(company, company.execution(owner=HERE))


def test_an_outline_has_every_step_in_order_and_sizes_in_place_of_outputs(company):
    held = company.run()
    steps = [step("b", 1, output=BYTES), step("a", 0), step("c", 2, output=None)]
    record(company, held, *steps)

    found = company.executions.outline(company.id, held.id)

    assert [each.size for each in found] == [7, 256, None]
    bare = [replace(each, output=None) for each in journal(company, held)]
    assert [each.record for each in found] == bare


def test_an_outline_has_pages(company):
    held = company.run()
    record(company, held, *(step(f"s{n}", n) for n in range(7)))

    def page(**asked):
        found = company.executions.outline(company.id, held.id, **asked)
        return [each.record.position for each in found]

    assert page(limit=3) == [0, 1, 2]
    assert page(after=3, limit=3) == [3, 4, 5]
    assert page(after=6, limit=3) == [6]
    assert page(after=7, limit=3) == []
    assert page(after=5) == [5, 6]


def test_outputs_are_those_asked_for_that_there_are_and_that_are_short_enough(company):
    held = company.run()
    long = step("long", 2, output=b'"%b"' % (b"x" * 100_000))
    record(company, held, step("a"), step("none", 1, output=None), long)

    def outputs(*paths, **asked):
        return company.executions.outputs(company.id, held.id, paths, **asked)

    assert outputs("a", "none", "nobody") == {"a": b'{"n":1}'}
    assert outputs("a", "long") == {"a": b'{"n":1}', "long": long.output}
    assert outputs("a", "long", most=100_002) == outputs("a", "long")
    assert outputs("a", "long", most=100_001) == {"a": b'{"n":1}'}
    assert outputs() == {}


def test_another_tenant_sees_neither_outline_nor_outputs(company, other):
    held = company.run()
    record(company, held, step("a"))

    assert other.executions.outline(other.id, held.id) == []
    assert other.executions.outputs(other.id, held.id, ["a"]) == {}
