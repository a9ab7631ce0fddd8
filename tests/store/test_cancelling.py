from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from app.domain.errors import Conflict, NotFound
from app.domain.execution import FINAL, Reason, Segment, Status, StepStatus
from tests.store.company import HERE, LATER, NOON, THERE, step


def cancel(company, execution):
    return company.executions.cancel(company.id, execution.id, at=LATER)


def wait(company, held, *steps):
    return company.executions.park(
        held,
        steps,
        reason=Reason.DELAY,
        wake_at=LATER,
        segments=[Segment(NOON, NOON)],
    ).result(timeout=5)


def statuses(company, execution):
    journal = company.executions.steps(company.id, execution.id)
    return {each.path: each.status for each in journal}


def test_what_is_queued_is_cancelled_at_once(company):
    queued = company.accept()

    answer = cancel(company, queued)

    assert answer == replace(queued, status=Status.CANCELLED, finished_at=LATER)
    assert company.now(queued) == answer
    assert not company.executions.start(queued, at=LATER).result(timeout=5)


def test_what_waits_is_cancelled_with_the_steps_that_wait(company):
    held = company.run()
    wait(company, held, step("done"), step("pause", 1, status=StepStatus.WAITING))

    answer = cancel(company, held)

    assert (answer.status, answer.wake_at, answer.waiting_for) == (
        Status.CANCELLED,
        None,
        None,
    )
    assert statuses(company, held) == {
        "done": StepStatus.SUCCESS,
        "pause": StepStatus.CANCELLED,
    }
    assert company.executions.next_wake() is None


@pytest.mark.parametrize("parked", [Status.UNKNOWN, Status.QUARANTINED])
def test_what_a_person_must_decide_can_be_cancelled(company, parked):
    execution = company.accept(status=parked)

    assert cancel(company, execution).status is Status.CANCELLED


def test_what_is_running_is_asked_to_stop(company):
    held = company.run()
    company.run()

    answer = cancel(company, held)

    assert answer == replace(held, cancel_requested=True)
    assert cancel(company, held) == answer
    assert company.executions.cancel_requested(HERE) == [held.id]
    assert company.executions.cancel_requested(THERE) == []


def test_who_was_asked_to_stop_is_forgotten_once_it_has(company):
    held = company.run()
    cancel(company, held)

    assert company.finish(held, status=Status.CANCELLED)

    assert company.executions.cancel_requested(HERE) == []


@pytest.mark.parametrize("final", sorted(FINAL))
def test_what_is_over_cannot_be_cancelled(company, final):
    held = company.run()
    company.finish(held, status=final)

    with pytest.raises(Conflict, match=final):
        cancel(company, held)

    assert company.now(held).status is final


def test_what_is_not_there_cannot_be_cancelled(company):
    with pytest.raises(NotFound):
        company.executions.cancel(company.id, "exec_none", at=LATER)


def test_what_was_asked_to_stop_does_not_wait(company):
    held = company.run()
    cancel(company, held)

    assert wait(company, held)

    [woken] = company.executions.claim(THERE, limit=10)
    assert woken.cancel_requested
    assert (woken.wake_at, woken.waiting_for) == (None, None)


def test_a_request_to_stop_outlives_the_process_that_should_have(company):
    held = company.run()
    cancel(company, held)
    company.executions.take_over(HERE)
    [mine] = company.executions.claim(THERE, limit=10)

    company.executions.start(mine, at=LATER).result(timeout=5)

    assert company.executions.cancel_requested(THERE) == [held.id]


def test_cancel_start_and_finish_race_to_one_consistent_end(company):
    def race(_: int) -> None:
        queued = company.accept()
        held = replace(queued, status=Status.RUNNING)
        with ThreadPoolExecutor(3) as threads:
            started = threads.submit(company.executions.start, queued, at=NOON)
            finished = threads.submit(company.finish, held)
            cancelled = threads.submit(cancel_if_live, queued)
        after = company.now(queued)
        answer = cancelled.result()
        if not started.result().result(timeout=5):
            assert after.status is Status.CANCELLED
            assert not finished.result()
        elif finished.result():
            assert after.status is Status.SUCCESS
            assert answer is None or answer.status is Status.RUNNING
        else:
            assert after.status is Status.RUNNING
            assert after.cancel_requested

    def cancel_if_live(execution):
        try:
            return cancel(company, execution)
        except Conflict:
            return None

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(race, range(25)))


def test_of_eight_racing_finishes_exactly_one_wins(company):
    held = company.run()
    ends = [Status.SUCCESS, Status.FAILED] * 4

    with ThreadPoolExecutor(8) as threads:
        won = list(threads.map(lambda end: company.finish(held, status=end), ends))

    assert won.count(True) == 1
    assert company.now(held).status is ends[won.index(True)]
