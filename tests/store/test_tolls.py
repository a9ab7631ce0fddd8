"""Rates that the store keeps, for all processes together."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from itertools import repeat
from typing import Any

import pytest

from app.domain.errors import Overloaded, RateLimited
from app.domain.pace import Charge, Pace
from app.store.sql import SqlStore
from tests.store.company import HERE, found, payload

TEN = Pace("workflow-rate", 10)
SLOW = Pace("tenant-rate", 0.01)  # one in 100 seconds: no test waits for the next


def charge(pace: Pace, name: str = "a", *, ago: float = 0.0) -> Charge:
    """One webhook that came so many seconds ago."""
    return Charge(pace, name, time.monotonic() - ago)


def add(company, *charges: Charge, seat: str | None = None, **more: Any) -> str:
    """Record an execution, if its charges allow it."""
    execution = company.execution(seat=seat)
    future = company.executions.add(execution, payload(), charges=charges, **more)
    counts: str = future.result(timeout=5)
    return counts


def let_in(company, *charges: Charge) -> bool:
    try:
        add(company, *charges)
    except RateLimited:
        return False
    return True


def test_as_many_are_let_in_as_the_bucket_holds(company):
    assert [let_in(company, charge(SLOW)) for _ in range(3)] == [True, False, False]
    assert let_in(company, charge(SLOW, "another"))


def test_a_refusal_names_the_limit_and_counts_nothing(company):
    add(company, charge(SLOW))
    before = company.store.ledger.balance(company.id)

    with pytest.raises(RateLimited) as caught:
        add(company, charge(SLOW))

    assert caught.value.code == "tenant-rate"
    assert 30 <= caught.value.retry_after <= 101
    assert company.store.ledger.balance(company.id) == before


def test_what_one_bucket_refuses_is_taken_out_of_no_other(company):
    add(company, charge(SLOW, "empty"))

    assert not let_in(company, charge(SLOW, "empty"), charge(SLOW, "other"))
    assert let_in(company, charge(SLOW, "other"))


def test_what_finds_no_seat_is_taken_out_of_no_bucket(company):
    with pytest.raises(Overloaded) as caught:
        add(company, charge(SLOW), seat=HERE)

    assert caught.value.code == "queue-full"
    assert let_in(company, charge(SLOW))


def test_a_copy_is_taken_out_as_well(company):
    first = add(company, dedupe=b"k")

    assert add(company, charge(SLOW), dedupe=b"k") == first
    assert not let_in(company, charge(SLOW))


def test_who_keeps_to_the_rate_is_let_in_however_long_the_commit_takes(company):
    waited = [charge(TEN, ago=4 - n / 10) for n in range(40)]

    assert all(let_in(company, each) for each in waited)


def test_who_does_not_is_refused_however_long_the_commit_takes(company):
    waited = [charge(TEN, ago=4 - n / 20) for n in range(60)]  # twice as many in 3 s

    let = sum([let_in(company, each) for each in waited])

    assert 30 <= let <= 41  # three seconds of ten, and a second's worth


def test_of_all_that_race_as_many_are_let_in_as_the_bucket_holds(company):
    with ThreadPoolExecutor(8) as threads:
        told = threads.map(let_in, repeat(company), [charge(TEN)] * 40)

        assert sum(told) == 10  # they all came in one instant


def of_two_processes(url: str) -> int:
    """Let events into two stores on one database, and count those that enter."""
    one, two = SqlStore(url), SqlStore(url)
    one.start()
    two.start()
    try:
        ours = found(one)
        doors = [ours, replace(ours, store=two)] * 20
        with ThreadPoolExecutor(8) as threads:
            return sum(threads.map(let_in, doors, [charge(TEN)] * 40))
    finally:
        one.close()
        two.close()


def test_two_processes_on_one_file_let_in_as_many_as_one(database):
    assert of_two_processes(f"sqlite:///{database}") == 10


@pytest.mark.services
def test_two_processes_on_one_server_let_in_as_many_as_one(postgres_url):
    assert of_two_processes(postgres_url) == 10


def test_a_bucket_that_is_full_again_is_forgotten(sql_store):
    company = found(sql_store)
    add(company, charge(TEN))
    later = datetime.fromtimestamp(time.time() + 600, UTC)

    assert sql_store.tries.sweep(later, limit=100) == 1
    assert let_in(company, charge(TEN))
