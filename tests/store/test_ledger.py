from concurrent.futures import ThreadPoolExecutor

import pytest

from app.domain.execution import Status, Trigger
from app.domain.ledger import Account, Outcome
from app.domain.times import hour_of
from tests.store.company import HERE, HOUR, NOON, THERE


def account(company, **changes):
    given = {
        "tenant_id": company.id,
        "workflow_id": company.workflow.id,
        "trigger": Trigger.WEBHOOK,
        "hour": hour_of(NOON),
    }
    return Account(**given | changes)


def book(company, counts, *, process=HERE):
    company.store.ledger.book(counts, process=process).result(timeout=5)


def refuse(company, n, *, outcome=Outcome.SHED, process=HERE, **changes):
    """Book refusals as the door does: both sides together."""
    entry = account(company, **changes)
    counts = {(entry, Outcome.RECEIVED): n, (entry, outcome): n}
    book(company, counts, process=process)


def balance(company, **wanted):
    return company.store.ledger.balance(company.id, **wanted)


def test_the_books_of_nobody_are_empty_and_balanced(company):
    books = balance(company)

    assert (books.door, books.executions) == ({}, {})
    assert books.received == books.accounted == 0


def test_each_accepted_execution_is_received_once(company):
    company.accept()
    company.finish(company.run())

    books = balance(company)

    assert books.door == {Outcome.RECEIVED: 2}
    assert books.executions == {Status.QUEUED: 1, Status.SUCCESS: 1}
    assert books.received == books.accounted == 2


def test_refusals_are_counted_by_outcome_and_the_books_balance(company):
    company.accept()
    refuse(company, 3)
    refuse(company, 2, outcome=Outcome.DUPLICATE)
    refuse(company, 4)

    books = balance(company)

    assert books.door == {
        Outcome.RECEIVED: 10,
        Outcome.SHED: 7,
        Outcome.DUPLICATE: 2,
    }
    assert books.received == books.accounted == 10


def test_the_books_balance_through_every_change_of_state(company):
    queued, held = company.accept(), company.run()
    company.executions.hand_back(held, [], segments=[]).result(timeout=5)
    company.executions.take_over(HERE)
    company.executions.claim(THERE, limit=10)
    company.executions.cancel(company.id, queued.id, at=NOON)

    books = balance(company)

    assert books.executions == {Status.QUEUED: 1, Status.CANCELLED: 1}
    assert books.received == books.accounted == 2


def test_the_books_of_a_tenant_are_its_own(company, other):
    company.accept()
    refuse(company, 3)

    assert balance(other).received == balance(other).accounted == 0
    assert balance(other, workflow_id=company.workflow.id).door == {}


def test_the_books_can_be_of_one_workflow(company):
    second = company.another(name="Second")
    company.accept()
    company.accept(workflow_id=second.id)
    refuse(company, 5, workflow_id=second.id)

    books = balance(company, workflow_id=second.id)

    assert books.received == books.accounted == 6
    assert books.executions == {Status.QUEUED: 1}


def test_the_books_can_be_of_whole_hours_of_receipt(company):
    for hours in range(3):
        company.accept(created_at=NOON + hours * HOUR + HOUR / 2)
        refuse(company, 10**hours, hour=hour_of(NOON) + hours)

    first = balance(company, until=NOON + HOUR)
    middle = balance(company, since=NOON + HOUR, until=NOON + 2 * HOUR)
    cut = balance(company, since=NOON + 1.9 * HOUR, until=NOON + 2.9 * HOUR)
    last = balance(company, since=NOON + 2 * HOUR)

    assert first.received == first.accounted == 2
    assert middle == cut
    assert middle.received == middle.accounted == 11
    assert last.received == last.accounted == 101


def test_triggers_and_processes_are_added_up(company):
    refuse(company, 1, trigger=Trigger.WEBHOOK)
    refuse(company, 2, trigger=Trigger.MANUAL)
    refuse(company, 4, process=THERE)

    assert balance(company).door == {Outcome.RECEIVED: 7, Outcome.SHED: 7}


@pytest.mark.parametrize("dead", [HERE, THERE, "never seen"])
def test_folding_a_dead_process_changes_no_sum(company, dead):
    company.accept()
    refuse(company, 3)
    refuse(company, 4, process=THERE)
    before = balance(company)

    company.store.ledger.fold(dead)
    company.store.ledger.fold(dead)
    refuse(company, 1, process=dead)

    assert balance(company).received == before.received + 1
    assert balance(company).accounted == before.accounted + 1


def test_nothing_to_book_is_no_error(company):
    book(company, {})

    assert balance(company).door == {}


def test_simultaneous_bookings_are_all_counted(company):
    entry = {(account(company), Outcome.SHED): 1}

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: book(company, entry), range(80)))

    assert balance(company).door == {Outcome.SHED: 80}


def test_the_books_balance_while_work_arrives(company):
    with ThreadPoolExecutor(2) as threads:
        done = threads.submit(lambda: [company.accept() for _ in range(50)])
        books = [balance(company)]
        while not done.done():
            books.append(balance(company))

    assert all(each.received == each.accounted for each in books)
    assert balance(company).received == 50
