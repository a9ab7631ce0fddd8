"""One file, two writers, one key."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from app.domain.dedupe import key_of_id
from app.domain.ledger import Outcome
from app.store.sql import SqlStore
from tests.store.company import HERE, THERE, found, payload


@pytest.fixture
def stores(database):
    both = [SqlStore(f"sqlite:///{database}") for _ in range(2)]
    for each in both:
        each.start()
    yield both
    for each in both:
        each.close()


def test_of_two_processes_that_race_for_a_key_one_gets_it(stores):
    company = found(stores[0])
    companies = [replace(company, store=each) for each in stores]

    def add(n):
        here, owner = companies[n % 2], (HERE, THERE)[n % 2]
        execution = here.execution(owner=owner)
        future = here.executions.add(execution, payload(), dedupe=key_of_id("one"))
        return future.result(timeout=10)

    with ThreadPoolExecutor(100) as threads:
        told = list(threads.map(add, range(100)))

    assert len(set(told)) == 1
    books = stores[0].ledger.balance(company.id)
    assert books.door == {Outcome.RECEIVED: 100, Outcome.DUPLICATE: 99}
    assert books.accounted == 100


def test_a_key_is_known_after_a_restart(database):
    key = key_of_id("one")
    before = SqlStore(f"sqlite:///{database}")
    before.start()
    company = found(before)
    first = company.execution()
    before.executions.add(first, payload(), dedupe=key).result(timeout=5)
    before.close()

    after = SqlStore(f"sqlite:///{database}")
    after.start()
    again = after.executions.add(company.execution(), payload(), dedupe=key)

    assert again.result(timeout=5) == first.id
    after.close()
