"""Tokens of clients for themselves, from a strict provider on loopback."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from app.connectors.flights import Flights
from app.connectors.http import HttpClient
from app.connectors.http_request import HttpRequest
from app.domain.context import ExecutionContext
from app.domain.errors import Cancelled, DeadlineExceeded, StepFailed
from app.security.addresses import AddressGuard
from tests.connectors.keyring import Keys
from tests.connectors.provider import SCOPES
from tests.connectors.town import client, fails


@pytest.mark.parametrize("auth", ["basic", "body"])
def test_a_client_gets_a_token_and_keeps_it(provider, purse, context, auth):
    provider.auth = auth
    one = client(provider, client_auth=auth, scopes=SCOPES)

    first, second = purse.token(context, one), purse.token(context, one)

    assert first == second
    assert provider.knows(first)
    [form] = provider.asked
    assert (form["grant_type"], form["scope"]) == ("client_credentials", SCOPES)


def test_a_token_is_replaced_shortly_before_its_end(provider, purse, context, town):
    one = client(provider)
    first = purse.token(context, one)

    town.clock.now += 3600 - 61
    assert purse.token(context, one) == first
    town.clock.now += 2
    assert purse.token(context, one) != first


def test_of_a_short_life_nine_tenths_are_used(provider, purse, context, town):
    provider.life = 10
    one = client(provider)
    first = purse.token(context, one)

    town.clock.now += 8.9
    assert purse.token(context, one) == first
    town.clock.now += 0.2
    assert purse.token(context, one) != first


def test_a_token_without_an_end_is_used_until_it_is_refused(
    provider, purse, context, town
):
    provider.life = 0
    one = client(provider)
    first = purse.token(context, one)

    town.clock.now += 1e8
    assert purse.token(context, one) == first
    assert purse.token(context, one, stale=first) != first


def test_other_data_is_another_client(provider, purse, context):
    first = purse.token(context, client(provider))

    assert purse.token(context, client(provider, scopes=SCOPES)) != first


def test_many_threads_ask_once(provider, purse, context):
    one, provider.hold = client(provider), threading.Event()

    with ThreadPoolExecutor(10) as threads:
        asked = [threads.submit(purse.token, context, one) for _ in range(10)]
        assert provider.begun.wait(5)
        provider.hold.set()
        found = {each.result(5) for each in asked}

    assert (len(found), len(provider.asked)) == (1, 1)


def test_ten_threads_whose_token_was_refused_get_one_other(provider, purse, context):
    one = client(provider)
    stale = purse.token(context, one)

    with ThreadPoolExecutor(10) as threads:
        found = set(
            threads.map(lambda _: purse.token(context, one, stale=stale), range(10))
        )

    assert stale not in found
    assert len(found) == 1
    assert len(provider.asked) == 2


def test_a_cancel_reaches_who_asks_and_who_waits(provider, purse):
    one, provider.hold = client(provider), threading.Event()
    contexts = [ExecutionContext(f"exec_{n}", time.monotonic() + 10) for n in range(3)]

    with ThreadPoolExecutor(3) as threads:
        first = threads.submit(purse.token, contexts[0], one)
        assert provider.begun.wait(5)
        waiting = [threads.submit(purse.token, each, one) for each in contexts[1:]]
        contexts[1].cancel()
        with pytest.raises(Cancelled):
            waiting[0].result(5)
        contexts[0].cancel()
        with pytest.raises(Cancelled):
            first.result(5)
        provider.hold.set()

        assert provider.knows(waiting[1].result(5))  # took over


def test_a_deadline_ends_the_wait_for_a_token(provider, purse):
    one, provider.hold = client(provider), threading.Event()

    with pytest.raises(DeadlineExceeded):
        purse.token(ExecutionContext("exec_1", time.monotonic() + 0.05), one)


def test_a_refusal_is_told_to_all_who_wait_by_the_servers_word(
    provider, purse, context
):
    provider.hold, provider.auth = threading.Event(), "body"  # we show it by header
    one = client(provider)

    with ThreadPoolExecutor(5) as threads:
        asked = [threads.submit(fails, purse, context, one) for _ in range(5)]
        assert provider.begun.wait(5)
        provider.hold.set()
        failed = [each.result(5) for each in asked]

    assert {(each.code, each.retryable) for each in failed} == {
        ("credential-refused", False)
    }
    assert "`orders`" in str(failed[0])
    assert "refused with invalid_client" in str(failed[0])


@pytest.mark.parametrize(
    "bad",
    [
        (200, b'{"error": "slow_down"}', "credential-refused", "slow_down"),
        (400, b'{"error": "a <b>"}', "credential-refused", "no readable error"),
        (400, b'{"error": ["x"]}', "credential-refused", "no readable error"),
        (400, b"<html>", "http-status", "status 400"),
        (503, b"", "http-status", "status 503"),
        (429, b'{"error": "x"}', "http-status", "status 429"),
        (307, b"http://127.0.0.1:9/", "http-status", "status 307"),
        (200, b"[]", "bad-answer", "all of it"),
        (200, b"access_token=x", "bad-answer", "all of it"),
        (200, b"{}", "bad-answer", "access_token"),
        (200, b'{"access_token": ""}', "bad-answer", "access_token"),
        (200, b'{"access_token": "a b"}', "bad-answer", "access_token"),
        (200, b'{"access_token": "a\\r\\nX: y"}', "bad-answer", "access_token"),
        (200, b'{"access_token": "a", "token_type": "m"}', "bad-answer", "token_type"),
        (200, b'{"access_token": "a", "expires_in": -1}', "bad-answer", "expires_in"),
        (200, b'{"access_token": "a", "expires_in": "x"}', "bad-answer", "expires_in"),
        (200, b'{"access_token": "a", "refresh_token": 7}', "bad-answer", "refresh"),
    ],
)  # fmt: skip
def test_an_answer_that_is_none_fails_the_step(provider, purse, context, bad):
    status, body, code, told = bad
    provider.broken = [(status, body)]

    failure = fails(purse, context, client(provider))

    assert (failure.code, told in str(failure)) == (code, True), str(failure)
    assert failure.retryable == (status in {503, 429})
    assert len(provider.asked) == 1  # a redirect would have carried the secret on


@pytest.mark.parametrize(
    "body",
    [
        b'{"access_token": "t0ken"}',
        b'{"access_token": "t0ken", "token_type": "BEARER", "expires_in": "3600"}',
        b'{"access_token": "t0ken", "expires_in": 1e99, "scope": "", "x": []}',
    ],
)
def test_what_servers_add_or_leave_out_is_taken(provider, purse, context, body):
    provider.broken = [(200, body)]

    assert purse.token(context, client(provider)) == "t0ken"


def test_a_token_url_is_held_to_the_outbound_rules(provider, town, context):
    town.http = HttpClient(AddressGuard(allow_private=False))

    failure = fails(town.purse(), context, client(provider))

    assert failure.code == "blocked-address"
    assert provider.asked == []


def test_shared_work_is_done_again_when_it_is_over():
    flights, numbers = Flights[int](), iter(range(3))
    context = ExecutionContext("exec_1", time.monotonic() + 5)

    done = [flights.share(context, "key", lambda: next(numbers)) for _ in range(3)]

    assert done == [0, 1, 2]


@pytest.fixture
def call(call, purse, provider):
    keys = Keys(orders=client(provider))
    keys.purse = purse
    return replace(call, keyring=keys)


def request(provider, **more):
    return HttpRequest.model_validate(
        {"url": f"{provider.url}/api", "credential": "orders", **more}
    )


def test_a_request_shows_the_token(provider, call):
    output = request(provider).run(call)

    assert output["status"] == 200
    assert [good for _, good in provider.calls] == [True]


def test_a_refused_token_is_replaced_once(provider, call):
    request(provider).run(call)
    provider.revoke()

    assert request(provider).run(call)["status"] == 200
    assert [good for _, good in provider.calls] == [True, False, True]
    assert len(provider.asked) == 2


def test_a_server_that_refuses_every_token_is_not_asked_forever(provider, call):
    provider.knows = lambda _: False

    with pytest.raises(StepFailed) as failed:
        request(provider).run(call)

    assert failed.value.code == "http-status"
    assert len(provider.calls) == 2
    assert len(provider.asked) == 2
