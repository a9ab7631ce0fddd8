from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from app.domain.dedupe import LIFE, key_of_id
from app.domain.errors import Conflict, NotFound
from app.domain.ledger import Outcome
from app.store.protocol import ExecutionFilter
from tests.store.company import HERE, LATER, NOON, THERE, payload, step

KEY, OTHER = key_of_id("delivery-1"), key_of_id("delivery-2")
MOMENT = timedelta(milliseconds=1)


def add(company, key=KEY, **changes):
    """Record an execution with a key; return it and the id that counts."""
    execution = company.execution(**changes)
    future = company.executions.add(execution, payload(), dedupe=key)
    return execution, future.result(timeout=5)


def recorded(company):
    """The ids of all executions."""
    found = company.executions.list(
        company.id, ExecutionFilter(), limit=200, before=None
    )
    return {each.id for each in found}


def door(company):
    return company.store.ledger.balance(company.id).door


def forget(company, execution, key=KEY):
    company.store.dedupe.forget(
        company.id, execution.workflow_id, key, execution_id=execution.id
    )


def test_the_first_execution_with_a_key_counts(company):
    first, counts = add(company)

    assert counts == first.id
    assert company.now(first) == first


def test_a_later_one_is_not_recorded_and_hears_of_the_first(company):
    first, _ = add(company)

    again, counts = add(company)

    assert counts == first.id
    assert recorded(company) == {first.id}
    with pytest.raises(NotFound):
        company.executions.payload(company.id, again.id)


def test_a_later_one_is_booked_as_received_and_as_duplicate(company):
    add(company)

    add(company, owner=THERE)

    assert door(company) == {Outcome.RECEIVED: 2, Outcome.DUPLICATE: 1}
    balance = company.store.ledger.balance(company.id)
    assert balance.accounted == balance.received


def test_what_a_process_booked_is_folded_when_it_is_dead(company):
    add(company)
    add(company, owner=THERE)

    company.store.ledger.fold(THERE)

    assert door(company) == {Outcome.RECEIVED: 2, Outcome.DUPLICATE: 1}


@pytest.mark.parametrize("attempt", range(3))
def test_of_100_racing_threads_one_records_and_99_hear_of_it(company, attempt):
    key = key_of_id(f"race {attempt}")

    with ThreadPoolExecutor(100) as threads:
        told = list(threads.map(lambda _: add(company, key), range(100)))

    counted = {counts for _, counts in told}
    assert len(counted) == 1
    assert counted == recorded(company)
    assert sum(own.id == counts for own, counts in told) == 1
    assert door(company) == {Outcome.RECEIVED: 100, Outcome.DUPLICATE: 99}


def test_a_burst_of_many_keys_records_each_once(company):
    keys = [key_of_id(str(n % 7)) for n in range(200)]
    executions = [company.execution() for _ in keys]

    futures = [
        company.executions.add(execution, payload(), dedupe=key)
        for execution, key in zip(executions, keys, strict=True)
    ]

    counts = [each.result(timeout=5) for each in futures]
    assert counts == [executions[n % 7].id for n in range(200)]
    assert recorded(company) == set(counts)
    assert door(company) == {Outcome.RECEIVED: 200, Outcome.DUPLICATE: 193}


def test_without_a_key_nothing_is_a_duplicate(company):
    told = [add(company, None) for _ in range(3)]

    assert [counts for _, counts in told] == [own.id for own, _ in told]


def test_keys_of_two_workflows_do_not_meet(company):
    second = company.another(name="Second")
    add(company)

    other, counts = add(company, workflow_id=second.id)

    assert counts == other.id


def test_keys_of_two_tenants_do_not_meet(company, other):
    add(company)

    theirs, counts = add(other)

    assert counts == theirs.id
    assert door(other) == {Outcome.RECEIVED: 1}


def test_a_key_counts_until_it_expires_and_not_longer(company):
    first, _ = add(company)

    _, still = add(company, created_at=NOON + LIFE - MOMENT)
    renewed, counts = add(company, created_at=NOON + LIFE)
    _, after = add(company, created_at=NOON + LIFE + LIFE - MOMENT)

    assert still == first.id
    assert counts == renewed.id
    assert after == renewed.id


def test_racing_for_an_expired_key_one_replaces_it(company):
    first, _ = add(company)
    late = NOON + LIFE

    with ThreadPoolExecutor(20) as threads:
        told = list(threads.map(lambda _: add(company, created_at=late)[1], range(20)))

    assert len(set(told)) == 1
    assert recorded(company) == {first.id, *told}


def test_a_key_outlives_what_became_of_its_execution(company):
    first, _ = add(company)
    company.executions.cancel(company.id, first.id, at=LATER)

    assert add(company)[1] == first.id


def test_a_forgotten_key_lets_the_next_one_run(company):
    first, _ = add(company)

    forget(company, first)

    second, counts = add(company)
    assert counts == second.id
    assert recorded(company) == {first.id, second.id}


def test_only_the_execution_that_holds_a_key_can_have_it_forgotten(company):
    first, _ = add(company)
    forget(company, first)
    second, _ = add(company)

    forget(company, first)

    assert add(company)[1] == second.id


def test_forgetting_touches_no_other_key_workflow_or_tenant(company, other):
    second = company.another(name="Second")
    first, _ = add(company)
    kept = [add(company, OTHER)[1], add(company, workflow_id=second.id)[1]]
    theirs, _ = add(other, id=first.id)

    forget(company, first)
    forget(company, replace(first, workflow_id="wf_none"))
    forget(company, first, OTHER)

    again = [add(company, OTHER)[1], add(company, workflow_id=second.id)[1]]
    assert again == kept
    assert add(other)[1] == theirs.id


def test_a_cancellation_may_free_the_key_with_it(company):
    first, _ = add(company)

    company.executions.cancel(company.id, first.id, at=LATER, forget=KEY)

    second, counts = add(company)
    assert counts == second.id


def test_a_request_to_stop_may_free_the_key_with_it(company):
    first, _ = add(company)
    assert company.executions.start(first, at=NOON).result(timeout=5)

    asked = company.executions.cancel(company.id, first.id, at=LATER, forget=KEY)

    assert asked.cancel_requested
    assert add(company)[1] != first.id


def test_a_cancellation_that_comes_too_late_frees_nothing(company):
    first, _ = add(company)
    assert company.executions.start(first, at=NOON).result(timeout=5)
    assert company.finish(company.now(first), steps=[step("a")])

    with pytest.raises(Conflict):
        company.executions.cancel(company.id, first.id, at=LATER, forget=KEY)

    assert add(company)[1] == first.id


def test_a_cancellation_frees_no_key_of_another_execution(company):
    first, _ = add(company)
    second, _ = add(company, OTHER)

    company.executions.cancel(company.id, second.id, at=LATER, forget=KEY)

    assert add(company)[1] == first.id


def test_what_could_not_be_recorded_leaves_no_key(company):
    with pytest.raises(NotFound):
        add(company, version=2)
    assert door(company) == {}

    valid, counts = add(company)

    assert counts == valid.id


def test_a_member_that_fails_takes_no_key_of_its_neighbours_along(company):
    good, bad = company.execution(), company.execution(version=2)
    twin = company.execution()
    futures = [
        company.executions.add(bad, payload(), dedupe=OTHER),
        company.executions.add(good, payload(), dedupe=KEY),
        company.executions.add(twin, payload(), dedupe=KEY),
    ]

    assert isinstance(futures[0].exception(timeout=5), NotFound)
    assert [each.result(timeout=5) for each in futures[1:]] == [good.id] * 2
    late, counts = add(company, OTHER)
    assert counts == late.id


def test_the_same_execution_with_the_same_key_is_recorded_once(company):
    execution, _ = add(company)

    again = company.executions.add(execution, payload(), dedupe=KEY)

    with pytest.raises(Conflict):
        again.result(timeout=5)
    assert door(company) == {Outcome.RECEIVED: 1}


def test_sweeping_deletes_expired_keys_the_oldest_first(company):
    keys = [key_of_id(str(n)) for n in range(5)]
    for n, key in enumerate(keys):
        add(company, key, created_at=NOON + n * MOMENT)
    sweep = company.store.dedupe.sweep
    at = NOON + LIFE + 3 * MOMENT

    assert sweep(at, limit=3) == 3
    kept = [add(company, key, created_at=NOON + 9 * MOMENT) for key in keys]
    assert [own.id != counts for own, counts in kept] == [False] * 3 + [True] * 2
    assert [sweep(at, limit=3), sweep(at, limit=3)] == [1, 0]


def test_an_execution_stays_when_its_key_is_swept(company):
    first, _ = add(company, owner=HERE)

    assert company.store.dedupe.sweep(NOON + LIFE, limit=10) == 1

    assert company.now(first) == first
