"""What a workflow's steps do, one after the other."""

import pytest

from app.domain import jsons
from app.domain.errors import StepFailed
from app.domain.execution import Reason, Status, StepStatus


def output(record):
    return None if record.output is None else jsons.parse(record.output)


def test_hands_each_steps_output_to_the_next(rig):
    workflow = rig.workflow(
        {"id": "a", "uses": "set", "with": {"value": {"n": "{{ trigger.body.n }}"}}},
        {
            "id": "b",
            "uses": "recorder",
            "with": {"value": "{{ steps.a.output.n }}"},
        },
    )

    ended = rig.finish(workflow, {"n": 7})

    assert ended.status is Status.SUCCESS
    assert rig.outside.calls == [(f"{ended.id}:b", 7)]
    assert [output(each) for each in rig.steps(ended).values()] == [{"n": 7}, 7]


def test_skips_a_step_whose_condition_does_not_hold(rig):
    workflow = rig.workflow(
        {"id": "a", "if": "trigger.body.go", "uses": "recorder", "with": {}},
        {"id": "b", "uses": "set", "with": {"value": "{{ steps.a.output }}"}},
    )

    ended = rig.finish(workflow, {"go": False})

    assert ended.status is Status.SUCCESS
    assert rig.steps(ended)["a"].status is StepStatus.SKIPPED
    assert output(rig.steps(ended)["b"]) is None
    assert rig.outside.calls == []


def test_fails_with_the_failure_of_the_step_and_runs_no_other(rig):
    workflow = rig.workflow(
        {"id": "a", "uses": "fail", "with": {"message": "no stock"}},
        {"id": "b", "uses": "recorder", "with": {}},
    )

    ended = rig.finish(workflow)

    assert ended.status is Status.FAILED
    assert (ended.error.code, ended.error.message, ended.error.step) == (
        "fail",
        "no stock",
        "a",
    )
    assert list(rig.steps(ended)) == ["a"]


def test_runs_on_failure_and_keeps_the_first_error(rig):
    workflow = rig.workflow(
        {"id": "a", "uses": "fail", "with": {"message": "first"}},
        on_failure=[
            {"id": "page", "uses": "recorder", "with": {"value": "paged"}},
            {"id": "more", "uses": "fail", "with": {"message": "second"}},
        ],
    )

    ended = rig.finish(workflow)

    assert ended.error.message == "first"
    assert rig.outside.calls == [(f"{ended.id}:page", "paged")]
    assert rig.steps(ended)["more"].status is StepStatus.FAILED


def test_tries_again_with_the_same_key_until_it_succeeds(rig):
    rig.outside.failures = [
        StepFailed("http-status", "503", retryable=True, retry_after=0)
        for _ in range(2)
    ]
    workflow = rig.workflow(
        {
            "id": "a",
            "uses": "recorder",
            "with": {"value": 1},
            "retry": {"attempts": 3, "base": 0.001, "max": 0.001},
        }
    )

    ended = rig.finish(workflow)

    assert ended.status is Status.SUCCESS
    assert rig.outside.calls == [(f"{ended.id}:a", 1)] * 3
    assert rig.steps(ended)["a"].attempt == 3
    assert rig.steps(ended)["a"].error is None


def test_says_that_the_attempts_are_exhausted_and_by_what(rig):
    rig.outside.failures = [
        StepFailed("http-status", "answered 503", retryable=True) for _ in range(2)
    ]
    workflow = rig.workflow(
        {
            "id": "a",
            "uses": "recorder",
            "with": {},
            "retry": {"attempts": 2, "base": 0.001, "max": 0.001},
        }
    )

    ended = rig.finish(workflow)

    assert ended.error.code == "attempts-exhausted"
    assert "http-status: answered 503" in ended.error.message


def test_does_not_try_again_what_cannot_succeed(rig):
    rig.outside.failures = [StepFailed("http-status", "answered 404")]
    workflow = rig.workflow(
        {"id": "a", "uses": "recorder", "with": {}, "retry": {"attempts": 5}}
    )

    ended = rig.finish(workflow)

    assert ended.error.code == "http-status"
    assert len(rig.outside.calls) == 1


def test_a_long_wait_for_the_next_attempt_leaves_the_thread(rig):
    rig.outside.failures = [
        StepFailed("http-status", "busy", retryable=True, retry_after=1.2)
    ]
    workflow = rig.workflow(
        {"id": "a", "uses": "recorder", "with": {}, "retry": {"attempts": 2}}
    )
    started = rig.submit(workflow)

    waiting = rig.until(started, Status.WAITING)

    assert waiting.waiting_for is Reason.RETRY
    assert waiting.owner is None
    assert rig.steps(started)["a"].status is StepStatus.WAITING
    assert rig.pool.idle() == 1

    while rig.get(started).status is Status.WAITING:
        rig.feeder.feed()
    assert rig.until(started, Status.SUCCESS)
    assert rig.steps(started)["a"].attempt == 2


def test_a_delay_of_more_than_a_second_leaves_the_thread_and_ends_in_time(rig):
    workflow = rig.workflow(
        {"id": "pause", "uses": "delay", "with": {"seconds": 1.1}},
        {"id": "b", "uses": "recorder", "with": {"value": "{{ steps.pause.output }}"}},
    )
    started = rig.submit(workflow)
    waiting = rig.until(started, Status.WAITING)
    assert waiting.waiting_for is Reason.DELAY
    assert rig.outside.calls == []

    while rig.get(started).status is Status.WAITING:
        rig.feeder.feed()
    ended = rig.until(started, Status.SUCCESS)

    assert len(rig.outside.calls) == 1
    assert len(ended.segments) == 2
    assert all(segment.ended_at for segment in ended.segments)


def test_a_stop_ends_the_execution_as_its_author_says(rig):
    workflow = rig.workflow(
        {
            "id": "a",
            "uses": "stop",
            "with": {"status": "{{ trigger.body }}", "message": "enough"},
        },
        {"id": "b", "uses": "recorder", "with": {}},
        on_failure=[{"id": "c", "uses": "recorder", "with": {"value": "handled"}}],
    )

    assert rig.finish(workflow, "success").status is Status.SUCCESS
    assert rig.finish(workflow, "cancelled").status is Status.CANCELLED
    assert rig.outside.calls == []
    failed = rig.finish(workflow, "failed")

    assert (failed.error.code, failed.error.message) == ("stop", "enough")
    assert [value for _, value in rig.outside.calls] == ["handled"]


def test_a_step_that_takes_too_long_is_told_from_an_execution_that_does(rig):
    slow = {"id": "a", "uses": "gate", "with": {}, "timeout": 0.05}

    late_step = rig.finish(rig.workflow(slow))
    late_execution = rig.finish(
        rig.workflow({**slow, "timeout": 5}, limits={"timeout": 0.05})
    )

    assert late_step.error.code == late_execution.error.code == "timeout"
    assert "0.05 s" in late_step.error.message
    assert "ran out of time" in late_execution.error.message


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("{{ join('', [trigger.body, trigger.body]) }}", "too-large"),
        ("number {{ trigger.body.field }}", "expression"),
    ],
)
def test_an_output_that_cannot_be_kept_fails_the_step(rig, value, code):
    workflow = rig.workflow({"id": "a", "uses": "set", "with": {"value": value}})

    assert rig.finish(workflow, "x" * 600).error.code == code


def test_an_output_may_be_as_long_as_the_limit_and_not_a_byte_longer(rig):
    workflow = rig.workflow(
        {"id": "a", "uses": "set", "with": {"value": "{{ trigger.body }}"}}
    )

    assert rig.finish(workflow, "x" * 998).error is None  # and two quotes
    error = rig.finish(workflow, "x" * 999).error
    assert error.code == "too-large"
    assert "more than 1000 bytes" in error.message
    assert "SLUICE_MAX_OUTPUT" in error.message


@pytest.mark.parametrize(("attempts", "code"), [(1, "http-status"), (2, None)])
def test_failure_handling_reads_what_the_failed_step_left(rig, attempts, code):
    left = {"status": 503, "body": "no stock"}
    rig.outside.failures = [
        StepFailed("http-status", "answered 503", retryable=True, output=left)
        for _ in range(attempts)
    ]
    retry = {"attempts": attempts, "base": 0.001, "max": 0.001}
    workflow = rig.workflow(
        {"id": "a", "uses": "recorder", "with": {}, "retry": retry},
        on_failure=[
            {
                "id": "page",
                "uses": "recorder",
                "with": {"value": "{{ steps.a.output.body }}"},
            }
        ],
    )

    ended = rig.finish(workflow)

    assert ended.error.code == (code or "attempts-exhausted")
    assert output(rig.steps(ended)["a"]) == left
    assert rig.outside.calls[-1] == (f"{ended.id}:page", "no stock")


def test_what_a_failed_step_left_is_dropped_when_it_is_too_large(rig):
    rig.outside.failures = [StepFailed("http-status", "404", output="x" * 1000)]
    workflow = rig.workflow({"id": "a", "uses": "recorder", "with": {}})

    ended = rig.finish(workflow)

    assert ended.error.code == "http-status"
    assert rig.steps(ended)["a"].output is None
