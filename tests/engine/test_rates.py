"""How many webhooks may come in a second."""

import threading
import tracemalloc
from dataclasses import replace
from itertools import count

import pytest

from app.domain.errors import RateLimited
from app.engine.rates import LocalRates, SharedRates
from tests.store.company import workflow

ORDERS = workflow("tenant_1")
INVOICES = workflow("tenant_1")
FOREIGN = workflow("tenant_2")


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


def taken(rates, of=ORDERS, *, tries=100):
    """How many of so many webhooks at once are let in."""
    let_in = 0
    for _ in range(tries):
        try:
            rates.take(of)
        except RateLimited:
            continue
        let_in += 1
    return let_in


def refusal(rates, of=ORDERS) -> RateLimited:
    with pytest.raises(RateLimited) as caught:
        rates.take(of)
    return caught.value


def test_without_limits_everything_is_let_in():
    rates = LocalRates()

    assert taken(rates, tries=10_000) == 10_000


@pytest.mark.parametrize(
    ("rate", "at_once"), [(1, 1), (2.5, 2), (10, 10), (97, 97), (0.2, 1)]
)
def test_a_seconds_worth_may_come_at_once_and_at_least_one(clock, rate, at_once):
    rates = LocalRates(workflow=rate, clock=clock)

    assert taken(rates) == at_once


@pytest.mark.parametrize("rate", [0.25, 1, 3, 10, 33])
def test_over_time_the_rate_is_kept(clock, rate):
    rates = LocalRates(workflow=rate, clock=clock)
    let_in = 0
    for _ in range(10_000):  # a hundred seconds, a hundred tries in each
        let_in += taken(rates, tries=1)
        clock.now += 0.01

    assert 100 * rate <= let_in <= 100 * rate + max(1, rate) + 1


def test_whoever_waits_as_long_as_he_is_told_is_let_in(clock):
    for rate in (0.3, 1, 7):
        rates = LocalRates(workflow=rate, clock=clock)
        taken(rates)

        error = refusal(rates)
        assert error.code == "workflow-rate"
        assert error.retry_after >= 1
        clock.now += error.retry_after

        rates.take(ORDERS)


def test_a_refusal_says_which_limit_and_how_much_it_is(clock):
    rates = LocalRates(tenant=2, workflow=1.5, clock=clock)
    rates.take(ORDERS)

    assert refusal(rates).code == "workflow-rate"
    assert "1.5 webhooks a second" in str(refusal(rates))
    rates.take(INVOICES)
    assert refusal(rates, INVOICES).code == "workflow-rate"
    other = replace(INVOICES, id="wf_3")
    assert refusal(rates, other).code == "tenant-rate"


def test_what_one_limit_refuses_uses_up_no_other(clock):
    rates = LocalRates(tenant=10, workflow=1, clock=clock)

    assert taken(rates, ORDERS) == 1
    others = [replace(INVOICES, id=f"wf_{n}") for n in range(20)]
    assert sum(taken(rates, each) for each in others) == 9


def test_one_tenants_flood_takes_nothing_from_another(clock):
    rates = LocalRates(tenant=5, clock=clock)

    assert taken(rates, ORDERS) == 5
    assert taken(rates, INVOICES) == 0
    assert taken(rates, FOREIGN) == 5


def test_asking_takes_nothing(clock):
    rates = LocalRates(workflow=2, clock=clock)
    for _ in range(10):
        rates.check(ORDERS)
    assert taken(rates) == 2

    with pytest.raises(RateLimited):
        rates.check(ORDERS)


def test_what_is_given_back_can_be_taken_again(clock):
    rates = LocalRates(tenant=3, workflow=2, clock=clock)
    assert taken(rates) == 2

    rates.give_back(ORDERS)

    assert taken(rates) == 1
    assert taken(rates, INVOICES) == 1


def test_what_is_given_back_late_makes_no_bucket_larger(clock):
    rates = LocalRates(workflow=2, clock=clock)
    rates.take(ORDERS)
    clock.now += 60

    rates.give_back(ORDERS)

    assert taken(rates) == 2


def test_one_process_leaves_nothing_to_the_store_and_several_leave_both_limits(clock):
    assert LocalRates(tenant=3, workflow=2, clock=clock).charges(ORDERS) == ()
    assert SharedRates(clock=clock).charges(ORDERS) == ()

    charges = SharedRates(tenant=3, workflow=2, clock=clock).charges(ORDERS)

    told = [(each.pace.code, each.pace.rate, each.name) for each in charges]
    assert told == [
        ("workflow-rate", 2, ORDERS.id),
        ("tenant-rate", 3, ORDERS.tenant_id),
    ]
    assert {each.at for each in charges} == {clock.now}


def test_of_threads_that_race_as_many_are_let_in_as_the_rate_says(clock):
    rates = LocalRates(tenant=50, workflow=40, clock=clock)
    found: list[int] = []
    threads = [
        threading.Thread(target=lambda: found.append(taken(rates))) for _ in range(8)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert sum(found) == 40


def test_a_million_names_take_no_more_memory_than_those_of_one_second():
    ticks = count()
    clock = lambda: next(ticks) / 1000  # noqa: E731 - shorter than a function
    rates = LocalRates(tenant=1, workflow=1, clock=clock, size=500)
    tracemalloc.start()
    try:
        for n in range(20_000):
            rates.take(replace(ORDERS, id=f"wf_{n}", tenant_id=f"tenant_{n}"))
        held = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()

    assert held < 300_000
