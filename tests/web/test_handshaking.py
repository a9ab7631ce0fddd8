"""What senders ask to find out whether a URL is ours, and what they hear."""

import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.security.signatures.senders import Sent, mac
from tests.web.conftest import hook_of
from tests.web.signed import deliver, guarded, named, refused, send

pytestmark = pytest.mark.usefixtures("way_in")


def zooms(plain: str) -> str:
    return mac(named("zoom").secret.encode(), plain.encode()).hex()


ASKED: Mapping[str, tuple[Any, Any]] = {
    "slack": ({"type": "url_verification", "challenge": "c"}, {"challenge": "c"}),
    "discord": ({"type": 1}, {"type": 1}),
    "zoom": (
        {"event": "endpoint.url_validation", "payload": {"plainToken": "abc"}},
        {"plainToken": "abc", "encryptedToken": zooms("abc")},
    ),
}


@pytest.mark.parametrize("scheme", ["slack", "discord", "zoom"])
def test_a_signed_handshake_is_answered_even_where_the_method_is_not_taken(
    api, client, scheme
):
    sender = named(scheme)
    value, expected = ASKED[scheme]
    made = api.workflow("Putting", verify=sender.verify, methods=["PUT"])
    hook = hook_of(made)

    answer = send(client, hook, sender, json.dumps(value).encode())

    assert (answer.status_code, answer.json) == (200, expected)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert send(client, hook, sender).status_code == 405
    assert api.call("GET", f"/executions?workflow_id={made['id']}")["items"] == []


@pytest.mark.parametrize("scheme", ["slack", "discord", "zoom"])
def test_an_unsigned_handshake_is_401_and_nothing_is_answered(api, client, scheme):
    sender, hook = named(scheme), guarded(api, named(scheme))
    body = json.dumps(ASKED[scheme][0]).encode()
    sent = sender.send(body, now=time.time())

    refused(deliver(client, hook, Sent(body, {})))
    refused(deliver(client, hook, Sent(body + b" ", sent.headers)))
    old = sender.send(body, now=time.time() - 900)
    refused(deliver(client, hook, old))


def test_discords_ping_of_webhook_events_is_answered_with_nothing(api, client):
    sender = named("discord")
    ping = b'{"version": 1, "application_id": "1", "type": 0}'

    answer = send(client, guarded(api, sender), sender, ping)

    assert (answer.status_code, answer.data) == (204, b"")


def test_zooms_token_is_signed_with_the_secret_that_signed_the_request(api, client):
    sender = named("zoom")
    verify = {"scheme": "zoom", "secret": [sender.wrong, sender.secret]}
    hook = hook_of(api.workflow("Zoom", verify=verify))
    body = json.dumps(ASKED["zoom"][0]).encode()

    def answered(secret: str) -> str:
        sent = sender.send(body, now=time.time(), secret=secret)
        token: str = deliver(client, hook, sent).json["encryptedToken"]
        return token

    assert answered(sender.secret) != answered(sender.wrong)


def test_a_token_that_looks_like_a_message_is_never_signed(api, client):
    sender, hook = named("zoom"), guarded(api, named("zoom"))
    forged = f"v0:{int(time.time())}:{{}}"
    value = {"event": "endpoint.url_validation", "payload": {"plainToken": forged}}

    refused(send(client, hook, sender, json.dumps(value).encode()))


def test_meta_is_answered_when_it_knows_the_token(api, client):
    hook = guarded(api, named("meta"), verify_token="t-1")
    asked = {"hub.mode": "subscribe", "hub.verify_token": "t-1", "hub.challenge": "<b>"}

    answer = client.get(f"{hook}?{urlencode(asked)}")

    assert (answer.status_code, answer.data) == (200, b"<b>")
    assert answer.content_type == "text/plain; charset=utf-8"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    asked["hub.verify_token"] = "t-2"
    refused(client.get(f"{hook}?{urlencode(asked)}"))
    assert client.get(hook).status_code == 405


def test_graph_hears_its_token_as_text(api, client):
    hook = guarded(api, named("graph"))
    asked = urlencode({"validationToken": "Validation: <b> \u00e9"})

    answer = client.post(f"{hook}?{asked}")

    assert (answer.status_code, answer.text) == (200, "Validation: <b> \u00e9")
    assert answer.content_type == "text/plain; charset=utf-8"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
