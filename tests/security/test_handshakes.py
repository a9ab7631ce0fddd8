import hmac
import json
from typing import Any
from urllib.parse import urlencode

import pytest

from app.security.handshakes import HANDSHAKES, Reply
from app.security.signatures.signed import Signed

SECRET = b"a-shared-secret"


def posted(value: Any, query: str = "") -> Signed:
    headers = {"content-type": b"application/json"}
    return Signed(body=json.dumps(value).encode(), headers=headers, query=query)


def asked(method: str, **query: str) -> Signed:
    names = {name.replace("_", ".", 1): value for name, value in query.items()}
    return Signed(body=b"", headers={}, method=method, query=urlencode(names))


def told(kind: str, request: Signed, *secrets: bytes) -> Reply | None:
    assert HANDSHAKES[kind].asked(request)
    return HANDSHAKES[kind].answer(request, secrets or (SECRET,))


def test_slack_hears_its_challenge_again():
    reply = told("slack", posted({"type": "url_verification", "challenge": "3eZ"}))

    assert reply == Reply(b'{"challenge": "3eZ"}', "application/json")


@pytest.mark.parametrize("challenge", [None, "", "a\nb", "x" * 2049, 7, ["a"], "\0"])
def test_nothing_odd_is_repeated_to_slack(challenge):
    request = posted({"type": "url_verification", "challenge": challenge})

    assert told("slack", request) is None


def test_zoom_hears_the_signature_of_its_token():
    payload = {"plainToken": "qgg8vlvZRS6UYooatFL8Aw"}
    reply = told(
        "zoom", posted({"event": "endpoint.url_validation", "payload": payload})
    )

    assert reply is not None
    assert json.loads(reply.body) == {
        "plainToken": "qgg8vlvZRS6UYooatFL8Aw",
        "encryptedToken": hmac.new(
            SECRET, b"qgg8vlvZRS6UYooatFL8Aw", "sha256"
        ).hexdigest(),
    }


@pytest.mark.parametrize(
    "plain",
    [
        None,
        "",
        'v0:1767225600:{"event": "x"}',
        "v0:1:",
        "a b",
        "a\n",
        "x" * 65,
        "\u00e9",
        {"a": 1},
        7,
    ],
)
def test_nothing_that_could_be_a_message_is_signed_for_zoom(plain):
    request = posted(
        {"event": "endpoint.url_validation", "payload": {"plainToken": plain}}
    )

    assert told("zoom", request) is None


def test_the_two_pings_of_discord_are_answered_each_in_its_way():
    interaction = {"type": 1, "id": "1", "application_id": "2", "token": "t"}
    webhook = {"version": 1, "application_id": "2", "type": 0}

    assert told("discord", posted(interaction)) == Reply(
        b'{"type": 1}', "application/json"
    )
    assert told("discord", posted(webhook)) == Reply(b"", status=204)


@pytest.mark.parametrize(
    "value",
    [
        {"type": 2, "data": {}},
        {"type": True},
        {"type": 0},
        {"type": 1, "event": {"type": "APPLICATION_AUTHORIZED"}},
        {"type": "1"},
        [1],
        None,
    ],
    ids=str,
)
def test_an_event_of_discord_is_no_ping(value):
    assert not HANDSHAKES["discord"].asked(posted(value))


def test_meta_hears_its_challenge_if_it_knows_the_token():
    request = asked(
        "GET", hub_mode="subscribe", hub_verify_token="t-1", hub_challenge="1158201444"
    )

    reply = told("meta", request, b"t-0", b"t-1")

    assert reply == Reply(b"1158201444", "text/plain; charset=utf-8")


@pytest.mark.parametrize(
    "query",
    [
        {"hub_verify_token": "t-2", "hub_challenge": "1"},
        {"hub_verify_token": "", "hub_challenge": "1"},
        {"hub_challenge": "1"},
        {"hub_verify_token": "t-1"},
        {"hub_verify_token": "t-1", "hub_challenge": "a\r\nSet-Cookie: b"},
        {"hub_verify_token": "t-1", "hub_challenge": "x" * 3000},
        {"hub_verify_token": "t-\u00e9", "hub_challenge": "1"},
    ],
    ids=str,
)
def test_meta_hears_nothing_else(query):
    assert told("meta", asked("GET", hub_mode="subscribe", **query), b"t-1") is None


def test_without_a_token_of_ours_meta_hears_nothing():
    request = asked("GET", hub_mode="subscribe", hub_challenge="1")

    assert HANDSHAKES["meta"].answer(request, ()) is None


def test_graph_hears_its_token_decoded():
    request = Signed(
        body=b"", headers={}, query="validationToken=Validation%3a+Testing+%C3%A9"
    )

    reply = told("graph", request)

    assert reply == Reply("Validation: Testing \u00e9".encode())
    assert reply is not None
    assert reply.kind == "text/plain; charset=utf-8"


@pytest.mark.parametrize("token", ["", "%00", "a%0d%0ab", "x" * 3000])
def test_nothing_odd_is_repeated_to_graph(token):
    request = Signed(body=b"", headers={}, query=f"validationToken={token}")

    assert told("graph", request) is None


@pytest.mark.parametrize(
    ("kind", "request_"),
    [
        ("slack", posted({"type": "event_callback"})),
        ("slack", posted(["url_verification"])),
        ("zoom", posted({"event": "meeting.started"})),
        ("meta", asked("POST", hub_mode="subscribe")),
        ("meta", asked("GET", hub_mode="unsubscribe")),
        ("graph", asked("GET", validationToken="x")),
        ("graph", posted({"value": []})),
        ("graph", posted({}, query="validationToken=a&validationToken=b")),
    ],
    ids=str,
)
def test_anything_else_is_no_handshake(kind, request_):
    assert not HANDSHAKES[kind].asked(request_)


def test_a_large_body_is_no_handshake_and_is_not_read():
    value = {"type": "url_verification", "challenge": "x", "rest": "x" * (16 << 10)}

    assert not HANDSHAKES["slack"].asked(posted(value))
