"""Seats: how many executions from outside may be there, whoever accepts them."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.domain.errors import Overloaded
from app.domain.execution import Reason, Segment
from app.domain.ledger import Outcome
from tests.store.company import HERE, LATER, NOON, THERE, payload, worker


def seat(company, *, seats=1, key=None):
    """Ask for a seat; tell whether there was one."""
    execution = company.execution(owner=None, seat=HERE)
    future = company.executions.add(execution, payload(), dedupe=key, seats=seats)
    try:
        return future.result(timeout=5) == execution.id
    except Overloaded:
        return False


def claimed(company):
    [execution] = company.executions.claim(HERE, limit=1)
    assert company.executions.start(execution, at=NOON).result(timeout=5)
    return execution


def test_seats_are_taken_until_there_is_none(company):
    assert [seat(company, seats=2) for _ in range(4)] == [True, True, False, False]


def test_who_finds_no_seat_leaves_no_trace(company):
    seat(company)

    assert not seat(company, key=b"k")

    assert len(company.executions.claim(THERE, limit=10)) == 1
    balance = company.store.ledger.balance(company.id)
    assert (balance.received, balance.accounted) == (1, 1)
    assert seat(company, seats=2, key=b"k")


def test_workers_that_live_make_seats(company):
    company.store.processes.add(worker("one", workers=1, queue=2))
    company.store.processes.add(worker("two", workers=1, queue=0))

    assert [seat(company) for _ in range(5)] == [True] * 4 + [False]


def test_what_needs_no_seat_takes_none_and_is_never_refused(company):
    company.accept(owner=None)
    seat(company)

    company.accept(owner=None)

    assert not seat(company)
    assert len(company.executions.claim(THERE, limit=10)) == 3


def test_a_seat_is_kept_while_an_execution_waits_and_while_it_runs(company):
    seat(company)
    assert not seat(company)

    [execution] = company.executions.claim(HERE, limit=1)
    assert execution.seat == HERE
    assert not seat(company)
    company.executions.start(execution, at=NOON).result(timeout=5)
    assert not seat(company)


def test_a_seat_is_free_when_its_execution_is_over(company):
    seat(company)
    company.finish(claimed(company))

    assert seat(company)


def test_a_seat_is_free_when_its_execution_waits_for_something_else(company):
    seat(company)
    company.executions.park(
        claimed(company),
        [],
        reason=Reason.DELAY,
        wake_at=LATER,
        segments=[Segment(NOON, NOON)],
    ).result(timeout=5)

    assert seat(company)


def test_a_seat_is_free_when_its_execution_is_handed_back_or_released(company):
    seat(company)
    held = claimed(company)
    company.executions.hand_back(held, [], segments=[Segment(NOON, NOON)]).result(5)
    assert seat(company)

    company.executions.claim(HERE, limit=10)
    company.executions.release(HERE)
    assert seat(company)


def test_a_seat_is_free_when_its_execution_is_taken_from_a_dead_process(company):
    seat(company)
    company.executions.claim(HERE, limit=1)

    company.executions.take_over(HERE)

    assert seat(company)


def test_a_seat_is_free_when_its_execution_is_cancelled(company):
    seat(company)
    [execution] = company.executions.claim(HERE, limit=1)

    company.executions.cancel(company.id, execution.id, at=LATER)

    assert seat(company)


def test_of_many_who_ask_at_once_exactly_as_many_get_a_seat_as_there_are(company):
    with ThreadPoolExecutor(8) as clients:
        seated = list(clients.map(lambda _: seat(company, seats=10), range(60)))

    assert Counter(seated) == {True: 10, False: 50}


def test_what_is_received_is_counted_for_the_process_that_took_it(company):
    assert seat(company)

    company.store.ledger.fold(HERE)

    assert company.store.ledger.balance(company.id).door == {Outcome.RECEIVED: 1}


@pytest.mark.parametrize("running", [False, True])
def test_what_an_owner_has_whom_nobody_remembers_is_owed(company, running):
    stray = company.run() if running else company.accept()
    company.store.processes.add(worker(THERE))
    known = company.accept(owner=THERE)
    company.accept(owner=None)

    assert company.executions.disown() == 1

    assert company.now(stray).owner is None
    assert company.now(stray).attempt == 1 + running
    assert company.now(known) == known
    assert company.executions.disown() == 0
