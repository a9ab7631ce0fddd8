"""Posting signed requests to a hook, with Flask's client."""

import time
from typing import Any

from tests.security.signatures.senders import SENDERS, Sender, Sent
from tests.web.conftest import hook_of

BODY = b'{"id": "evt_1", "text": "caf\xc3\xa9"}'
PUBLIC = "http://localhost:8000"


def named(scheme: str) -> Sender:
    return next(each for each in SENDERS if each.scheme == scheme)


def guarded(api, sender: Sender, **more: Any) -> str:
    """The path of a webhook that only this sender may use."""
    made = api.workflow(f"From {sender}", verify={**sender.verify, **more})
    return hook_of(made)


def deliver(client, hook: str, sent: Sent, **more: Any):
    headers = {"Content-Type": "application/json", **sent.headers}
    path = f"{hook}?{sent.query}" if sent.query else hook
    return client.post(path, data=sent.body, headers=headers, **more)


def send(client, hook: str, sender: Sender, body: bytes = BODY, **changes: Any):
    """Deliver what was signed now; `changes` are made on the way."""
    sent = sender.send(body, now=time.time(), url=PUBLIC + hook)
    return deliver(client, hook, Sent(**{**vars(sent), **changes}))


def refused(answer) -> Any:
    assert answer.status_code == 401
    assert answer.content_type == "application/problem+json"
    assert answer.json["type"] == "/problems/signature"
    return {k: v for k, v in answer.json.items() if k != "request_id"}
