"""One event from the hook to the finished execution."""

import hashlib
import hmac
import json
import sys
import time
import uuid
from argparse import ArgumentParser, Namespace
from contextlib import ExitStack
from typing import Any

import httpx2

from app.cli import local
from app.cli.client import Client
from app.cli.command import Command, Environment, Stopped
from app.cli.sink import Sink

KEY = "SLUICE_API_KEY"

EVENT = {
    "action": "opened",
    "issue": {"number": 7, "title": "The mill stands still"},
    "repository": {"full_name": "octocat/sluice"},
    "sender": {"login": "octocat"},
}
FINAL = {"success", "failed", "cancelled", "unknown", "quarantined"}


class Unfinished(Stopped):
    """The execution did not end well, or not in time."""


def run(client: Client, *, within: float = 30.0) -> int:
    """Create a workflow, send it an event, print the finished execution as JSON.

    Args:
        client: knows a server and a key with scope `write`.
        within: how long the execution may take, seconds.

    Raises:
        Unfinished: the execution failed, took too long, or told the sink nothing.
    """
    with Sink() as sink:
        workflow = client.call("POST", "/api/v1/workflows", json=_workflow(sink.url))
        started = time.monotonic()
        accepted = _send(client, workflow["webhook_url"])
        execution = _wait(client, accepted["execution_id"], within)
        took = round((time.monotonic() - started) * 1000)
    sys.stdout.write(json.dumps(execution, indent=2) + "\n")
    if execution["status"] != "success" or len(sink.bodies) != 1:
        raise Unfinished(
            f"execution {execution['id']} ended as {execution['status']} "
            f"and the receiver got {len(sink.bodies)} requests; expected success and 1"
        )
    text = json.loads(sink.bodies[0])["text"]
    sys.stderr.write(f"Finished in {took} ms; the receiver got: {text}\n")
    return 0


def _workflow(sink: str) -> dict[str, Any]:
    text = (
        "{{ trigger.body.sender.login }} {{ trigger.body.action }} "
        "#{{ trigger.body.issue.number }} in {{ trigger.body.repository.full_name }}"
    )
    tell = {
        "id": "tell",
        "uses": "http.request",
        "if": "trigger.body.action == 'opened'",
        "with": {
            "method": "POST",
            "url": sink,
            "json": {"text": "{{ steps.text.output }}"},
        },
    }
    return {
        "name": f"Demo {uuid.uuid4()}",
        "definition": {
            "trigger": {"type": "webhook"},
            "steps": [{"id": "text", "uses": "set", "with": {"value": text}}, tell],
        },
    }


def _send(client: Client, hook: str) -> Any:
    """Post the sample as GitHub does, signature included."""
    body = json.dumps(EVENT).encode()
    signature = hmac.new(b"a demo secret", body, hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "GitHub-Hookshot/044aadd",
        "X-GitHub-Event": "issues",
        "X-GitHub-Delivery": str(uuid.uuid4()),
        "X-Hub-Signature-256": f"sha256={signature}",
    }
    return client.call("POST", hook, content=body, headers=headers)


def _wait(client: Client, execution_id: str, within: float) -> dict[str, Any]:
    until = time.monotonic() + within
    while time.monotonic() < until:
        execution: dict[str, Any] = client.call(
            "GET", f"/api/v1/executions/{execution_id}"
        )
        if execution["status"] in FINAL:
            return execution
        time.sleep(0.01)
    raise Unfinished(f"execution {execution_id} did not end within {within:g} s")


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--url",
        help="a running server; its API key is read from the environment variable "
        f"{KEY}. Without --url, a server is started for the demo, with data of its "
        "own that is removed afterwards",
    )


def _demo(asked: Namespace, env: Environment) -> int:
    key = env.get(KEY)
    if asked.url is not None and not key:
        sys.stderr.write(f"--url needs an API key in {KEY}, with scope write\n")
        return 2
    with ExitStack() as stack:
        url = asked.url or stack.enter_context(local.server())
        with Client(url, key=key if asked.url else None) as client:
            return _tried(client)


def _tried(client: Client) -> int:
    try:
        if not client.is_known:
            client.register()
        return run(client)
    except httpx2.HTTPError as error:
        raise Unfinished(str(error)) from error


COMMAND = Command(
    name="demo",
    help="send one sample event through a workflow and show what became of it",
    run=_demo,
    arguments=_arguments,
)
