"""Credentials of requests: what is sent, and to whom."""

from base64 import b64encode
from dataclasses import replace

import pytest

from app.connectors.http_request import HttpRequest
from app.domain.errors import StepFailed
from tests.connectors.keyring import Keys, opened
from tests.connectors.serving import answer, answering

SECRET = "s3cret-8f2c"
PAIR = b64encode(f"miller:{SECRET}".encode())
MILLER = {"username": "miller", "password": SECRET}
API_KEY = {"name": "X-Api-Key", "value": SECRET}
KINDS = {
    "bearer": ({"token": SECRET}, b"authorization: Bearer " + SECRET.encode()),
    "basic": (MILLER, b"authorization: Basic " + PAIR),
    "header": (API_KEY, b"x-api-key: " + SECRET.encode()),
    "query": ({"name": "api key", "value": SECRET}, b"/?api%20key=" + SECRET.encode()),
}  # fmt: skip
kinds = pytest.mark.parametrize("kind", KINDS)


def moved(location, status=302):
    return answer(status=f"{status} Moved", headers=[f"Location: {location}"])


@pytest.fixture
def run(call):
    """Run a request with a credential of a type."""

    def send(kind, url, **settings):
        keys = Keys(mine=opened("mine", kind, **KINDS[kind][0]))
        step = HttpRequest.model_validate({"url": url, "credential": "mine"} | settings)
        return step.run(replace(call, keyring=keys))

    return send


@kinds
def test_a_credential_is_sent_as_its_type_says(serve, run, kind):
    server = serve(answering(answer(b"ok")))

    output = run(kind, server.url())

    assert KINDS[kind][1] in server.requests[0]
    assert SECRET not in str(output)


def test_a_name_and_a_password_are_sent_in_utf_8(serve, call):
    server = serve(answering(answer()))
    keys = Keys(mine=opened("mine", "basic", username="müller", password="geheim"))

    HttpRequest.model_validate({"url": server.url(), "credential": "mine"}).run(
        replace(call, keyring=keys)
    )

    assert b"Basic " + b64encode("müller:geheim".encode()) in server.requests[0]


@kinds
def test_the_same_origin_is_shown_it_again(serve, run, kind):
    server = serve(answering(moved("/there"), answer()))

    run(kind, server.url())

    assert SECRET.encode() in server.requests[1] or PAIR in server.requests[1]


def test_a_parameter_that_the_server_repeats_is_not_sent_twice(serve, run):
    server = serve(answering(moved("/there?api%20key=" + SECRET), answer()))

    run("query", server.url())

    assert server.requests[1].count(SECRET.encode()) == 1


@kinds
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_another_origin_is_not_shown_it(serve, run, kind, status):
    other = serve(answering(answer()))
    server = serve(answering(moved(other.url("/there"), status)))

    run(kind, server.url(), method="POST", json={"a": 1})

    for each in (SECRET.encode(), PAIR):
        assert each not in other.requests[0]


def test_a_way_back_to_the_origin_does_not_show_it_again(serve, run):
    other = serve(answering(answer()))
    server = serve(answering(moved(other.url()), answer()))
    other._script = answering(moved(server.url("/back")))

    run("bearer", server.url())

    assert SECRET.encode() in server.requests[0]
    assert SECRET.encode() not in server.requests[1]


@pytest.mark.parametrize("name", ["Accept", "User-Agent", "Idempotency-Key"])
def test_a_header_that_others_may_see_is_not_shown_them_as_a_credential(
    serve, call, name
):
    other = serve(answering(answer()))
    server = serve(answering(moved(other.url())))
    keys = Keys(mine=opened("mine", "header", name=name, value=SECRET))

    HttpRequest.model_validate({"url": server.url(), "credential": "mine"}).run(
        replace(call, keyring=keys)
    )

    assert SECRET.encode() in server.requests[0]
    assert SECRET.encode() not in other.requests[0]


@pytest.mark.parametrize("written", [SECRET, PAIR.decode()])
def test_a_server_that_passes_it_on_is_not_followed(serve, run, written):
    other = serve(answering(answer()))
    server = serve(answering(moved(other.url(f"/?leak={written}"))))

    with pytest.raises(StepFailed) as failed:
        run("basic", server.url())

    assert (failed.value.code, other.connections) == ("bad-answer", 0)
    assert written not in str(failed.value)


@pytest.mark.parametrize(
    ("kind", "settings", "named"),
    [
        ("bearer", {"headers": {"authorization": "mine"}}, "authorization"),
        ("header", {"headers": {"X-API-KEY": "mine"}}, "x-api-key"),
        ("query", {"query": {"api key": "mine"}}, "api key"),
    ],
)
def test_what_a_credential_sets_may_not_be_set_beside_it(run, kind, settings, named):
    with pytest.raises(StepFailed, match=f"must not hold {named}") as failed:
        run(kind, "http://127.0.0.1:9/", **settings)

    assert failed.value.code == "invalid-settings"


@pytest.mark.parametrize(
    ("keys", "code"),
    [
        (Keys(), "credential-missing"),
        (Keys(mine=None), "credential-unreadable"),
        (Keys(mine=opened("mine", "slack", url="https://x")), "credential-unusable"),
    ],
)
def test_without_its_credential_nothing_is_sent(serve, call, keys, code):
    server = serve(answering(answer()))
    step = HttpRequest.model_validate({"url": server.url(), "credential": "mine"})

    with pytest.raises(StepFailed) as failed:
        step.run(replace(call, keyring=keys))

    assert (failed.value.code, server.connections) == (code, 0)
