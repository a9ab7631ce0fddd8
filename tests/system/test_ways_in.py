"""Webhooks are taken by the event loop or by request threads, and nobody can tell."""

import json
from collections import Counter

import pytest

from tests.system import verdict
from tests.system.client import Api, send
from tests.system.flood import flood
from tests.system.serving import Server, step
from tests.system.sink import Sink
from tests.system.waiting import eventually

pytestmark = pytest.mark.system

SECRET, EVENTS = "between us", 60
TOKEN = {"scheme": "token", "header": "X-Token", "secret": SECRET}


def _post(hook: str, token: str, number: int = 0) -> tuple[int, object]:
    """Post an event, and return its status and what it was told."""
    headers = {"Content-Type": "application/json", "X-Token": token}
    body = json.dumps({"n": number}).encode()
    answer = send("POST", hook, body=body, headers=headers)
    return answer.status, answer.json["status"]


@pytest.mark.parametrize("swift", ["on", "off"])
def test_events_are_answered_counted_and_run_alike_on_the_loop_and_on_threads(
    start, swift
):
    server: Server = start(SLUICE_SWIFT_HOOKS=swift)
    api = server.api()
    api.register()
    signed = _guarded(api, {"id": "n", "uses": "set", "with": {"value": 1}})
    hook = signed["webhook_url"]

    told = Counter(
        answer
        for number in range(EVENTS)
        for answer in (_post(hook, SECRET, number), _post(hook, "guessed"))
    )
    unknown = _post(f"{hook[:-4]}AAAA", SECRET)
    ended = api.all_finished(within=60)

    assert told == {
        (202, "queued"): EVENTS,
        (401, 401): EVENTS,
    }
    assert unknown[0] == 404
    assert Counter(each["status"] for each in ended) == {"success": EVENTS}
    eventually(  # what is refused is booked once a second
        lambda: api.ledger()["received"] == 2 * EVENTS, within=20, what="all are booked"
    )
    assert api.ledger()["success"] == EVENTS
    assert verdict.unbalanced(api.ledger()) == []
    assert "Traceback" not in server.written()


@pytest.mark.parametrize("swift", ["on", "off"])
def test_a_full_house_is_told_alike_on_the_loop_and_on_threads(
    start, sink: Sink, swift
):
    server: Server = start(
        SLUICE_SWIFT_HOOKS=swift, SLUICE_POOL_WORKERS="2", SLUICE_POOL_QUEUE="3"
    )
    api = server.api()
    api.register()
    held = api.workflow("Held", step("held", f"{sink.url}/slow?seconds=5"))

    replies = flood(held["webhook_url"], [b"{}"] * EVENTS, within=60)
    ended = api.all_finished(within=60)

    assert Counter(each.status for each in replies) == {202: 5, 503: EVENTS - 5}
    assert all(each.headers["retry-after"] for each in replies if each.status == 503)
    assert Counter(each["status"] for each in ended) == {"success": 5}
    assert verdict.unbalanced(api.ledger()) == []


def _guarded(api: Api, *steps: object) -> dict[str, str]:
    """Make a workflow for those who know a secret."""
    trigger = {"type": "webhook", "verify": TOKEN}
    definition = {"trigger": trigger, "steps": [*steps]}
    asked = {"name": "Guarded", "definition": definition}
    made: dict[str, str] = api.call("POST", "/workflows", asked)
    return made
