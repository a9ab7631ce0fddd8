"""A rate is one for all processes that take webhooks, however uneven their load."""

import secrets
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.services.postgres import Postgres
from tests.system import verdict
from tests.system.client import Answer, Api, post
from tests.system.fleet import KEY, at
from tests.system.serving import Server
from tests.system.waiting import eventually

pytestmark = pytest.mark.system

RATE = 10  # webhooks a second
LONG = 5.0  # seconds of a flood
CLIENTS = 3  # of each door
NOTE = {"id": "note", "uses": "set", "with": {"value": 1}}
SETTINGS = {"SLUICE_WORKFLOW_RATE": str(RATE), "SLUICE_POOL_QUEUE": "5000"}


@dataclass
class Flood:
    """Clients who send as fast as they can, and what they were told."""

    hooks: Sequence[str]
    answers: list[Answer] = field(default_factory=list)
    seconds: float = 0.0  # from the first request to the last answer

    def run(self) -> "Flood":
        began = time.monotonic()
        threads = [
            threading.Thread(target=self._send, args=(each, began + LONG))
            for each in [*self.hooks] * CLIENTS
        ]
        for each in threads:
            each.start()
        for each in threads:
            each.join(60)
        self.seconds = time.monotonic() - began
        return self

    def count(self, status: int) -> int:
        return sum(each.status == status for each in self.answers)

    @property
    def most(self) -> int:
        """How many may be let in: the rate for as long as it took, and one second."""
        return int(RATE * (self.seconds + 1)) + 1

    def _send(self, hook: str, until: float) -> None:
        while time.monotonic() < until:
            self.answers.append(post(hook, {}))


def check(flood: Flood, api: Api) -> None:
    """More than the rate came, no more was let in, and the books say so."""
    assert {each.status for each in flood.answers} == {202, 429}
    assert RATE <= flood.count(202) <= flood.most
    refused = [each for each in flood.answers if each.status == 429]
    assert all(int(each.headers["retry-after"]) >= 1 for each in refused)
    assert {each.json["type"] for each in refused} == {"/problems/workflow-rate"}
    eventually(
        lambda: api.ledger()["shed"] == len(refused), within=10, what="all are booked"
    )
    assert verdict.unbalanced(api.ledger()) == []


def keep_to_the_rate(hook: str) -> list[int]:
    """Send more slowly than the rate, for two seconds, and return the answers."""
    statuses = []
    for _ in range(2 * RATE):
        statuses.append(post(hook, {}).status)
        time.sleep(1 / RATE)
    return statuses


def test_two_processes_of_one_server_let_in_no_more_than_one(
    start: Callable[..., Server], figure
):
    server = start(WEB_CONCURRENCY="2", **SETTINGS)
    api = server.api()
    api.register()
    hook: str = api.workflow("Note", NOTE)["webhook_url"]

    flood = Flood([hook]).run()

    check(flood, api)
    told = f"{RATE}, {flood.seconds:.1f} s, {flood.count(202)}"
    figure("two processes on SQLite: rate, flood, let in", told)


def test_two_machines_let_in_no_more_than_one_and_need_no_more_than_one(
    postgres: Postgres, start: Callable[..., Server], figure
):
    url = postgres.create(f"rates_{secrets.token_hex(4)}")
    more = {"DATABASE_URL": url, "SLUICE_ENCRYPTION_KEYS": KEY, **SETTINGS}
    servers = [start(**more), start(**more)]
    api = servers[0].api()
    api.register()
    workflow: Any = api.workflow("Note", NOTE)
    hooks = [at(each, workflow) for each in servers]

    assert keep_to_the_rate(hooks[1]) == [202] * 2 * RATE  # all at one of them

    time.sleep(1)  # until a second's worth is there again
    flood = Flood(hooks).run()
    check(flood, api)

    servers[1].kill()
    time.sleep(1)
    assert keep_to_the_rate(hooks[0]) == [202] * 2 * RATE  # nothing died with it
    told = f"{RATE}, {flood.seconds:.1f} s, {flood.count(202)}"
    figure("two machines on PostgreSQL: rate, flood, let in", told)
    figure("refused of those who kept to the rate, at one machine of two", 0)
