"""Processes that write at once, which only a server lets happen."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from threading import Barrier

import pytest

from app.domain.account import Scope
from app.domain.dedupe import key_of_id
from app.domain.errors import Conflict
from app.domain.execution import Trigger
from app.domain.ledger import Account, Outcome
from app.domain.times import hour_of
from app.store.sql import SqlStore
from tests.store.company import HERE, NOON, THERE, api_key, found, payload

pytestmark = pytest.mark.services
KEYS = [key_of_id(f"delivery {n}") for n in range(20)]


@pytest.fixture
def stores(postgres_url):
    both = [SqlStore(postgres_url) for _ in range(2)]
    for each in both:
        each.start()
    yield both
    for each in both:
        each.close()


@pytest.fixture
def companies(stores):
    """One company, seen from two processes."""
    one = found(stores[0])
    return [replace(one, store=each) for each in stores]


def at_once(*actions):
    """Do all at the same time and return what each came to."""
    barrier = Barrier(len(actions))

    def run(action):
        barrier.wait(5)
        try:
            return action()
        except Conflict as error:
            return error

    with ThreadPoolExecutor(len(actions)) as threads:
        return list(threads.map(run, actions))


def test_no_execution_is_claimed_twice_and_none_is_waited_for(companies):
    for _ in range(300):
        companies[0].accept(owner=None)

    def claim_all(company, owner):
        claimed = []
        while found := company.executions.claim(owner, limit=7):
            claimed += [each.id for each in found]
        return claimed

    here, there = at_once(
        lambda: claim_all(companies[0], HERE), lambda: claim_all(companies[1], THERE)
    )

    assert len(here) + len(there) == 300
    assert not set(here) & set(there)


def test_keys_that_race_in_opposite_orders_have_one_holder_each(companies):
    def add_all(company, owner, keys):
        added = [
            company.executions.add(
                company.execution(owner=owner), payload(), dedupe=key
            )
            for key in keys
        ]
        return dict(zip(keys, [each.result(timeout=10) for each in added], strict=True))

    for _ in range(5):
        here, there = at_once(
            lambda: add_all(companies[0], HERE, KEYS),
            lambda: add_all(companies[1], THERE, KEYS[::-1]),
        )
        assert here == there


def test_of_the_last_two_keys_one_stays(stores):
    for _ in range(10):
        company = found(stores[0])
        two = [
            api_key(company.id, company.owner.id, scopes=frozenset({Scope.ADMIN}))
            for _ in stores
        ]
        for key in two:
            company.store.api_keys.add(key)

        ended = at_once(
            *(
                partial(each.api_keys.revoke, company.id, key.id, at=NOON)
                for each, key in zip(stores, two, strict=True)
            )
        )

        assert [type(each) for each in ended].count(Conflict) == 1


def test_the_counters_of_a_dead_process_are_folded_once(companies):
    account = Account(
        companies[0].id, companies[0].workflow.id, Trigger.WEBHOOK, hour_of(NOON)
    )
    for n in range(1, 11):
        ledger = companies[0].store.ledger
        ledger.book({(account, Outcome.SHED): 1}, process="dead").result(timeout=5)

        at_once(*(partial(each.store.ledger.fold, "dead") for each in companies))

        assert ledger.balance(companies[0].id).door == {Outcome.SHED: n}
