"""Clients that go on posting while a server dies and comes back."""

import http.client
import itertools
import json
import threading
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from tests.system.client import send
from tests.system.octokit import Event


@dataclass(frozen=True, slots=True)
class Posted:
    """One attempt: without an answer nobody knows what became of it."""

    delivery: str
    status: int | None
    execution_id: str | None


class Load:
    """Threads that post events to one hook, and write down every answer."""

    def __init__(self, hook: str, events: Sequence[Event], *, clients: int) -> None:
        self._hook = hook
        self._events = itertools.cycle(events)
        self._lock = threading.Lock()
        self._log: list[Posted] = []
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._post) for _ in range(clients)]

    def __enter__(self) -> Self:
        for each in self._threads:
            each.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for each in self._threads:
            each.join(30)

    @property
    def log(self) -> list[Posted]:
        with self._lock:
            return list(self._log)

    @property
    def acknowledged(self) -> list[str]:
        """The executions that the server has promised."""
        return [each.execution_id for each in self.log if each.execution_id]

    def _post(self) -> None:
        while not self._over.is_set():
            with self._lock:
                event = next(self._events)
            posted = _attempt(self._hook, event)
            with self._lock:
                self._log.append(posted)
            if posted.status != 202:
                self._over.wait(0.1)  # full, or dead


def _attempt(hook: str, event: Event) -> Posted:
    delivery = str(uuid.uuid4())
    headers = {
        "Content-Type": "application/json",
        "X-GitHub-Event": event.name,
        "X-GitHub-Delivery": delivery,
    }
    body = json.dumps(event.payload).encode()
    try:
        answer = send("POST", hook, body=body, headers=headers)
    except (OSError, http.client.HTTPException):
        return Posted(delivery, None, None)
    told = answer.json.get("execution_id") if answer.status == 202 else None
    return Posted(delivery, answer.status, told)
