"""The HTTP API and the hooks as the outside sees them; no code of the product."""

import http.client
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from tests.system.waiting import eventually

FINAL = {"success", "failed", "cancelled", "unknown", "quarantined"}
PASSWORD = "a-password-that-no-log-may-show-71"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def send(
    method: str,
    url: str,
    *,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    timeout: float = 30.0,
) -> Answer:
    """One request on a connection of its own."""
    parts = urlsplit(url)
    assert parts.hostname
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    try:
        connection.request(method, path, body=body, headers=dict(headers or {}))
        reply = connection.getresponse()
        names = {name.lower(): value for name, value in reply.getheaders()}
        return Answer(reply.status, names, reply.read())
    finally:
        connection.close()


class Api:
    """Calls `/api/v1` of one server in the name of one tenant."""

    def __init__(self, url: str, key: str | None = None) -> None:
        self.url = url
        self.key = key

    def ask(self, method: str, path: str, value: Any = None) -> Answer:
        """Send a request, whatever the answer may be."""
        headers = {"Content-Type": "application/json"}
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        body = None if value is None else json.dumps(value).encode()
        return send(method, f"{self.url}/api/v1{path}", body=body, headers=headers)

    def call(self, method: str, path: str, value: Any = None) -> Any:
        """Send a request that must succeed, and return its JSON."""
        answer = self.ask(method, path, value)
        assert answer.status < 300, f"{method} {path}: {answer.status} {answer.body!r}"
        return json.loads(answer.body) if answer.body else None

    def register(self, name: str = "Mill") -> Any:
        """Become a new tenant with a key of its own."""
        account = self.call(
            "POST",
            "/auth/register",
            {"email": "miller@example.com", "password": PASSWORD, "tenant": name},
        )
        self.key = account["api_key"]
        return account

    def workflow(self, name: str, *steps: Mapping[str, Any], **trigger: str) -> Any:
        """Create a workflow behind a webhook."""
        definition = {"trigger": {"type": "webhook", **trigger}, "steps": list(steps)}
        return self.call("POST", "/workflows", {"name": name, "definition": definition})

    def execution(self, execution_id: str) -> Any:
        return self.call("GET", f"/executions/{execution_id}")

    def executions(self, **wanted: str) -> Iterator[Any]:
        """Every execution that fits, newest first, over all pages."""
        query = {"limit": "200", **wanted}
        while True:
            page = self.call("GET", f"/executions?{urlencode(query)}")
            yield from page["items"]
            if page["next_cursor"] is None:
                return
            query["cursor"] = page["next_cursor"]

    def finished(self, execution_id: str, *, within: float = 20.0) -> Any:
        """Wait for one execution to end, and return it."""
        return eventually(
            lambda: _final(self.execution(execution_id)),
            within=within,
            what=f"{execution_id} ends",
        )

    def all_finished(self, *, within: float, **wanted: str) -> list[Any]:
        """Wait until none is queued, running or waiting; return them all."""

        def over() -> bool:
            return not any(
                self.call("GET", f"/executions?{urlencode(wanted | {'status': each})}")[
                    "items"
                ]
                for each in ("queued", "running", "waiting")
            )

        eventually(over, within=within, what="every execution ends")
        return list(self.executions(**wanted))

    def ledger(self, **wanted: str) -> Any:
        return self.call("GET", f"/ledger?{urlencode(wanted)}")


def _final(execution: Any) -> Any:
    return execution if execution["status"] in FINAL else None


def post(hook: str, value: Any, **headers: str) -> Answer:
    """Post JSON to a webhook."""
    return send(
        "POST",
        hook,
        body=json.dumps(value).encode(),
        headers={"Content-Type": "application/json", **headers},
    )
