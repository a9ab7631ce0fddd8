"""Tokens that a person granted, from a provider that takes each refresh token once."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from app.connectors.oauth import Tokens
from tests.connectors.town import authorize, client, fails


@pytest.fixture
def authorized(provider, purse, town, context):
    """A client to whom a person has granted tokens."""
    return authorize(provider, purse, town, context)


def test_without_consent_there_is_no_token(provider, purse, context):
    failure = fails(purse, context, client(provider, "authorization_code"))

    assert failure.code == "credential-unauthorized"
    assert "POST /api/v1/credentials/cred_1/authorize" in str(failure)


def test_what_was_granted_is_sealed_and_used(
    provider, purse, context, town, authorized
):
    token = purse.token(context, authorized)

    assert provider.knows(token)
    assert token.encode() not in town.store.grants.get("tenant_1", "cred_1").sealed
    assert len(provider.asked) == 1


def test_an_old_token_is_renewed_each_time(provider, purse, context, town, authorized):
    seen = set()
    for provider.rotates in (True, True, False, False, True):
        seen.add(purse.token(context, authorized))
        town.clock.now += 3600

    assert len(seen) == 5
    assert not provider.families[0].revoked


def test_one_refusal_renews_once_and_the_next_gets_the_same(
    provider, purse, context, authorized
):
    stale = purse.token(context, authorized)
    provider.revoke()

    first = purse.token(context, authorized, stale=stale)

    assert purse.token(context, authorized, stale=stale) == first
    assert provider.knows(first)


def test_of_many_processes_one_uses_a_refresh_token(
    provider, town, context, authorized
):
    town.clock.now += 3600
    processes = [town.purse() for _ in range(4)]
    start = threading.Barrier(12)

    def ask(number):
        start.wait(5)
        return processes[number % 4].token(context, authorized)

    with ThreadPoolExecutor(12) as threads:
        found = set(threads.map(ask, range(12)))

    assert len(found) == 1
    assert [each["grant_type"] for each in provider.asked].count("refresh_token") == 1
    assert not provider.families[0].revoked


def test_a_withdrawn_authorization_says_what_to_do(
    provider, purse, context, town, authorized
):
    provider.families[0].revoked = True
    town.clock.now += 3600

    failure = fails(purse, context, authorized)

    assert failure.code == "credential-unauthorized"
    assert "it was withdrawn, or has expired" in str(failure)


def test_a_renewal_that_failed_lets_the_next_one_try(
    provider, purse, context, town, authorized
):
    town.clock.now += 3600
    provider.broken = [(503, b"")]
    assert fails(purse, context, authorized).retryable

    assert provider.knows(purse.token(context, authorized))


def test_a_renewal_does_not_undo_a_newer_consent(
    provider, purse, context, town, authorized
):
    town.clock.now += 3600
    provider.hold = threading.Event()
    provider.begun.clear()
    grants, newer = town.store.grants, town.sealed(Tokens(access="newer-t0ken"))

    with ThreadPoolExecutor(1) as threads:
        asked = threads.submit(purse.token, context, authorized)
        assert provider.begun.wait(5)
        assert grants.renew(grants.get("tenant_1", "cred_1"), newer)
        provider.hold.set()

        assert asked.result(5) == "newer-t0ken"


def test_tokens_without_a_refresh_token_end(provider, purse, context, town):
    old = town.sealed(Tokens(access="t0ken", good_until=1.0))
    assert town.store.grants.grant(town.consent(), old)

    failure = fails(purse, context, client(provider, "authorization_code"))

    assert failure.code == "credential-unauthorized"
    assert "cannot be renewed" in str(failure)


def test_tokens_of_another_tenant_do_not_open(
    provider, purse, context, town, authorized
):
    stolen = town.store.grants.get("tenant_1", "cred_1").sealed
    assert town.store.grants.grant(town.consent(tenant_id="tenant_2"), stolen)

    thief = replace(authorized, tenant_id="tenant_2")

    assert fails(purse, context, thief).code == "credential-unreadable"
