from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

from app.domain.execution import Reason, Segment, Status
from app.store.protocol import Queued
from tests.store.company import HERE, LATER, NOON, THERE, step

HOUR = timedelta(hours=1)
ENDED = (Segment(NOON, LATER),)


def park(company, held, *steps, wake_at=LATER, reason=Reason.DELAY):
    return company.executions.park(
        held, steps, reason=reason, wake_at=wake_at, segments=ENDED
    ).result(timeout=5)


def hand_back(company, held, *steps):
    future = company.executions.hand_back(held, steps, segments=ENDED)
    return future.result(timeout=5)


def claimed(company, *, owner=THERE, limit=10):
    return list(company.executions.claim(owner, limit=limit))


def queued(company, *, owner=HERE, limit=10):
    return company.executions.queued(owner, limit=limit)


def paths(company, execution):
    return [each.path for each in company.executions.steps(company.id, execution.id)]


def test_owed_work_is_claimed_oldest_first(company):
    owed = [company.accept(owner=None) for _ in range(3)]

    first = claimed(company, limit=2)

    assert first == [replace(each, owner=THERE, fence=2) for each in owed[:2]]
    assert company.now(owed[0]) == first[0]
    assert [each.id for each in claimed(company)] == [owed[2].id]


def test_owed_work_of_all_tenants_is_claimed_with_its_own_names(company, other):
    second = company.another(name="Second")
    owed = [
        other.accept(owner=None),
        company.accept(owner=None, workflow_id=second.id, workflow_name="Second"),
        company.accept(owner=None),
    ]

    assert claimed(company) == [replace(each, owner=THERE, fence=2) for each in owed]


def test_what_waits_is_owed_work_and_what_is_queued_for_an_owner(company):
    company.run(created_at=NOON - HOUR)
    company.accept(owner=THERE, created_at=NOON - HOUR)
    company.accept(owner=HERE, created_at=NOON)
    assert queued(company) == Queued(owed=0, oldest=NOON)

    for _ in range(3):
        company.accept(owner=None, created_at=LATER)
    assert queued(company) == Queued(owed=3, oldest=NOON)
    assert queued(company, owner="somebody") == Queued(owed=3, oldest=LATER)


def test_owed_work_is_counted_up_to_a_limit(company):
    for _ in range(3):
        company.accept(owner=None)

    assert queued(company, limit=2).owed == 2


def test_nothing_waits_in_an_empty_house(company):
    assert queued(company) == Queued(owed=0, oldest=None)


def test_only_owed_work_is_claimed(company):
    company.accept(owner=HERE)
    company.run()
    company.finish(company.run())

    assert claimed(company) == []


def test_eight_racing_processes_share_owed_work_without_overlap(company):
    owed = {company.accept(owner=None).id for _ in range(40)}

    def drain(number: int) -> list[str]:
        taken = []
        while got := claimed(company, owner=f"process-{number}", limit=3):
            taken += [each.id for each in got]
        return taken

    with ThreadPoolExecutor(8) as threads:
        shares = list(threads.map(drain, range(8)))

    everything = [each for share in shares for each in share]
    assert len(everything) == 40
    assert set(everything) == owed


def test_who_lost_an_execution_can_no_longer_start_it(company):
    queued = company.accept()
    company.executions.release(HERE)
    [mine] = claimed(company, owner=THERE)

    assert not company.executions.start(queued, at=NOON).result(timeout=5)
    assert company.executions.start(mine, at=NOON).result(timeout=5)


def test_a_stale_fence_changes_nothing(company):
    stale = company.run()
    company.executions.take_over(HERE)
    [mine] = claimed(company)
    assert company.executions.start(mine, at=LATER).result(timeout=5)
    before = company.now(mine)

    assert not company.executions.record(stale, [step("a")]).result(timeout=5)
    assert not company.finish(stale, steps=[step("b")])
    assert not park(company, stale, step("c"))
    assert not hand_back(company, stale, step("d"))

    assert company.now(mine) == before
    assert paths(company, mine) == []


def test_released_work_is_owed_and_nobodys(company):
    queued, running = company.accept(), company.run()
    elsewhere = company.accept(owner=THERE)

    assert company.executions.release(HERE) == 1

    assert company.now(queued) == replace(queued, owner=None, fence=2)
    assert company.now(running) == running
    assert company.now(elsewhere) == elsewhere


def test_one_execution_alone_can_be_released(company):
    one, two = company.accept(), company.accept()

    assert company.executions.release(HERE, only=two.id) == 1
    assert company.executions.release(THERE, only=one.id) == 0

    assert company.now(one) == one
    assert company.now(two).owner is None


def test_some_executions_can_be_kept_from_release(company):
    kept, released = company.accept(), company.accept()

    assert company.executions.release(HERE, but=[kept.id, "exec_none"]) == 1
    assert company.executions.release(HERE, only=kept.id, but=[kept.id]) == 0

    assert company.now(kept) == kept
    assert company.now(released).owner is None


def test_parked_work_waits_without_an_owner(company):
    held = company.run()

    assert park(company, held, step("a"), reason=Reason.RETRY)

    assert company.now(held) == replace(
        held,
        status=Status.WAITING,
        owner=None,
        fence=2,
        waiting_for=Reason.RETRY,
        wake_at=LATER,
        segments=ENDED,
    )
    assert paths(company, held) == ["a"]
    assert claimed(company) == []


def test_waiting_work_is_owed_when_its_time_has_come(company):
    held = company.run()
    park(company, held)

    assert company.executions.wake(LATER - timedelta(milliseconds=1), limit=10) == 0
    assert company.executions.wake(LATER, limit=10) == 1

    [woken] = claimed(company)
    assert (woken.status, woken.wake_at, woken.waiting_for) == (
        Status.QUEUED,
        None,
        None,
    )
    assert woken.attempt == held.attempt


def test_the_first_to_wake_wakes_first(company):
    late, early = company.run(), company.run()
    park(company, late, wake_at=LATER)
    park(company, early, wake_at=NOON)

    assert company.executions.next_wake() == NOON
    assert company.executions.wake(LATER, limit=1) == 1

    assert company.executions.next_wake() == LATER
    assert [each.id for each in claimed(company)] == [early.id]


def test_nothing_that_waits_has_no_next_time(company):
    company.run()

    assert company.executions.next_wake() is None


def test_work_handed_back_counts_an_attempt(company):
    held = company.run()

    assert hand_back(company, held, step("a"))

    assert company.now(held) == replace(
        held, status=Status.QUEUED, owner=None, fence=2, attempt=2, segments=ENDED
    )
    assert paths(company, held) == ["a"]
    assert [each.id for each in claimed(company)] == [held.id]


def test_a_dead_owners_live_work_is_owed(company):
    queued, running, done = company.accept(), company.run(), company.run()
    elsewhere, waiting = company.run(owner=THERE), company.run()
    company.finish(done)
    park(company, waiting)

    assert company.executions.take_over(HERE) == 2

    assert company.now(queued) == replace(queued, owner=None, fence=2)
    assert company.now(running) == replace(
        running, status=Status.QUEUED, owner=None, fence=2, attempt=2
    )
    assert company.now(running).segments == (Segment(NOON),)
    assert company.now(done).status is Status.SUCCESS
    assert company.now(waiting).status is Status.WAITING
    assert company.now(elsewhere) == elsewhere
    assert company.executions.take_over(HERE) == 0


def test_the_second_run_opens_a_segment_after_the_one_that_a_crash_left(company):
    company.run()
    company.executions.take_over(HERE)
    [mine] = claimed(company)

    company.executions.start(mine, at=LATER).result(timeout=5)

    assert company.now(mine).segments == (Segment(NOON), Segment(LATER))
    assert company.now(mine).started_at == NOON
