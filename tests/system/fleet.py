"""Web processes and workers on a database and a Redis that they share."""

import base64
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.store.sql import SqlStore
from tests.services.postgres import Postgres
from tests.services.redis import Redis
from tests.system.client import Answer, Api, post
from tests.system.serving import Server, Worker
from tests.system.waiting import eventually

LEASE = 10.0  # seconds; 30 by default
KEY = base64.b64encode(b"k" * 32).decode()


class Fleet:
    """Each process has a data directory of its own, as on a machine of its own."""

    def __init__(self, home: Path, database: str, redis: str, **settings: str) -> None:
        self._home = home
        self._settings = {
            "DATABASE_URL": database,
            "REDIS_URL": redis,
            "SLUICE_ENCRYPTION_KEYS": KEY,
            "SLUICE_LEASE": str(LEASE),
            **settings,
        }
        self.database = database  # for whoever wants to look at all of it
        self.webs: list[Server] = []
        self.workers: list[Worker] = []

    def web(self, **settings: str) -> Server:
        """Start one more server."""
        one = Server(self._folder(), **(self._settings | settings))
        self.webs.append(one)
        one.start(within=60)
        return one

    def worker(self, **settings: str) -> Worker:
        """Start one more worker."""
        one = Worker(self._folder(), **(self._settings | settings))
        self.workers.append(one)
        one.start(within=60)
        return one

    def mend(self) -> None:
        """Start again who has ended, as whoever supervises them would."""
        for each in self.everybody:
            if each.has_ended():
                each.start(within=60)

    @property
    def everybody(self) -> Sequence[Server]:
        return [*self.webs, *self.workers]

    def close(self) -> None:
        for each in self.everybody:
            each.close()

    def _folder(self) -> Path:
        folder = self._home / f"machine-{len(self.everybody)}"
        folder.mkdir(parents=True)
        return folder


@contextmanager
def fleet(
    home: Path, postgres: Postgres, redis: Redis, *, query: str = "", **settings: str
) -> Iterator[Fleet]:
    """Share a new database and a Redis; every process ends with the block.

    The database is used by a role that may not change its tables; `query` is added to
    its URL.
    """
    name = f"fleet_{secrets.token_hex(4)}"
    url = installed(postgres, name)
    one = Fleet(home, url + query, redis.url, **settings)
    one.database = postgres.url(name)
    try:
        yield one
    finally:
        one.close()


def installed(postgres: Postgres, name: str) -> str:
    """Make a database with its tables, for a role that may not change them."""
    made = postgres.install(name)
    tables = SqlStore(made.owner)
    tables.start()
    tables.close()
    return made.url


def at(server: Server, workflow: Any) -> str:
    """The hook of a workflow, at one of several servers."""
    token = workflow["webhook_url"].rpartition("/")[2]
    return f"{server.url}/hooks/{token}"


def flood(hooks: Sequence[str], count: int, value: Any = None) -> list[Answer]:
    """Post so many events at once, to one hook after the other."""
    answers: list[Answer] = []
    ready = threading.Barrier(count)

    def one(hook: str) -> None:
        ready.wait(30)
        answers.append(post(hook, value))

    threads = [
        threading.Thread(target=one, args=(hooks[n % len(hooks)],))
        for n in range(count)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    return answers


def seconds_until(probe: Callable[[], object], *, within: float, what: str) -> float:
    """Measure how long it takes until something is so."""
    began = time.monotonic()
    eventually(probe, within=within, what=what)
    return time.monotonic() - began


@dataclass(frozen=True, slots=True)
class Pool:
    """What `/stats` tells."""

    workers: int
    busy: int
    queued: int
    capacity: int
    shed: int


def stats(api: Api) -> Pool:
    return Pool(**api.call("GET", "/stats")["pool"])


def write_lines(path: Path, values: Sequence[Any]) -> Path:
    """Write objects for a program that knows nothing of their classes."""
    path.write_text("".join(json.dumps(each) + "\n" for each in values))
    return path
