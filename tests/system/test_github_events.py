"""P1: every event that GitHub can send is committed, run once, and told on."""

import json
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.system.client import Api, send
from tests.system.octokit import Event
from tests.system.serving import step
from tests.system.sink import Sink

pytestmark = pytest.mark.system

FACTS = {
    "event": '{{ trigger.headers."x-github-event" }}',
    "action": "{{ trigger.body.action }}",
    "repository": "{{ trigger.body.repository.full_name }}",
    "fields": "{{ length(keys(trigger.body)) }}",
    "title": "{{ trigger.body.action || 'no action' }} "
    "by {{ trigger.body.sender.login || 'nobody' }}",
    "payload": "{{ trigger.body }}",
}


def expected(event: Event) -> dict[str, object]:
    """The same facts, worked out without the product."""
    payload = event.payload
    sender = payload.get("sender") or {}
    return {
        "event": event.name,
        "action": payload.get("action"),
        "repository": (payload.get("repository") or {}).get("full_name"),
        "fields": len(payload),
        "title": f"{payload.get('action') or 'no action'} "
        f"by {sender.get('login') or 'nobody'}",
        "payload": payload,
    }


class Deliveries:
    """Posts events one after the other, each when the one before it has arrived."""

    def __init__(self, hook: str, sink: Sink) -> None:
        self.hook = hook
        self.sink = sink

    def send(self, event: Event) -> tuple[str, str]:
        """Deliver one event; gives its delivery id and its execution's id."""
        delivery = str(uuid.uuid4())
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "GitHub-Hookshot/044aadd",
            "X-GitHub-Event": event.name,
            "X-GitHub-Delivery": delivery,
            "X-GitHub-Hook-ID": "292430182",
        }
        body = json.dumps(event.payload).encode()
        answer = send("POST", self.hook, body=body, headers=headers)
        assert answer.status == 202, answer
        self.sink.wait_at(f"/events/{delivery}", within=30)
        return delivery, answer.json["execution_id"]


def test_every_payload_of_github_is_executed_with_the_right_data_exactly_once(
    shared_api: Api, sink: Sink, payloads: list[Event], figure
):
    where = f'{sink.url}/events/{{{{ trigger.headers."x-github-delivery" }}}}'
    workflow = shared_api.workflow(
        "GitHub events",
        {"id": "facts", "uses": "set", "with": {"value": FACTS}},
        step("tell", where, "{{ steps.facts.output }}"),
    )
    deliveries = Deliveries(workflow["webhook_url"], sink)

    with ThreadPoolExecutor(16) as senders:
        sent = list(senders.map(deliveries.send, payloads))

    executions = shared_api.all_finished(within=30, workflow_id=workflow["id"])
    assert {each["status"] for each in executions} == {"success"}
    assert {each["id"] for each in executions} == {each for _, each in sent}
    for event, (delivery, execution_id) in zip(payloads, sent, strict=True):
        [arrival] = sink.at(f"/events/{delivery}")
        assert arrival.json == expected(event)
        assert arrival.key == f"{execution_id}:tell"
    assert len(sink.arrivals()) == len(payloads) >= 329
    figure("payloads posted, executed, received once each", len(payloads))
