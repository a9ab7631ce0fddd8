"""Executions a second through each store: accepted, started and finished.

Prints the median of interleaved rounds, and its ratio to SQLite. PostgreSQL is a server
of the bench's own on the same cores, so the ratio says what the store costs, not what
a server elsewhere would give.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from app.domain.execution import Status
from app.store.sql import SqlStore, writer
from tests.services.postgres import Postgres
from tests.services.redis import Redis
from tests.store.company import LATER, NOON, Company, found, payload, step

ROUNDS, CALLERS, EACH = 3, 16, 12
BODY = b"x" * 8_000
GROUP = writer.BATCH


def run_one(company: Company) -> None:
    """Take one execution through its life; only the first commit is waited for."""
    held = company.execution()
    company.executions.add(held, payload(body=BODY)).result(30)
    company.executions.start(held, at=NOON)
    company.executions.finish(
        held,
        [step("a"), step("b", 1)],
        status=Status.SUCCESS,
        error=None,
        segments=[],
        at=LATER,
    )


def rate(company: Company) -> float:
    """Let many callers at once bring executions; return how many a second."""

    def call(_: int) -> None:
        for _ in range(EACH):
            run_one(company)

    began = time.monotonic()
    with ThreadPoolExecutor(CALLERS) as callers:
        list(callers.map(call, range(CALLERS)))
    company.store.check()  # after all that was handed over before
    return CALLERS * EACH / (time.monotonic() - began)


def opened(url: str) -> Company:
    """Start a store with a company in it."""
    store = SqlStore(url)
    store.start()
    return found(store)


def measure(sqlite: Company, postgresql: Company) -> dict[str, list[float]]:
    """Measure each way in turn, so that what else the machine does falls on all."""

    def alone(company: Company) -> float:
        writer.BATCH = 1
        try:
            return rate(company)
        finally:
            writer.BATCH = GROUP

    ways: dict[str, tuple[Callable[[Company], float], Company]] = {
        "SQLite": (rate, sqlite),
        "PostgreSQL": (rate, postgresql),
        "PostgreSQL, a commit each": (alone, postgresql),
    }
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS + 1):
        for name, (how, company) in ways.items():
            rates[name].append(how(company))
    return {name: each[1:] for name, each in rates.items()}  # the first warms up


def database(stack: ExitStack, number: int) -> str:
    """Make a PostgreSQL with a database in it; return the URL of who uses it."""
    server = Postgres()
    stack.callback(server.close)
    server.start()
    installation = server.install(f"bench{number}")
    owner = SqlStore(installation.owner)
    owner.start()
    owner.close()
    return installation.url


def broker(stack: ExitStack) -> str:
    """Start a Redis; return its URL."""
    home = stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-redis-"))
    server = Redis(Path(home))
    stack.callback(server.kill)
    server.start()
    return server.url


def main() -> None:
    """Measure and print."""
    server = Postgres()
    try:
        server.start()
        installation = server.install("bench")
        opened(installation.owner).store.close()
        postgresql = opened(installation.url)
        with tempfile.TemporaryDirectory() as folder:
            sqlite = opened(f"sqlite:///{folder}/sluice.db")
            rates = measure(sqlite, postgresql)
            sqlite.store.close()
        postgresql.store.close()
    finally:
        server.close()
    for name, each in rates.items():
        ratio = statistics.median(
            a / b for a, b in zip(each, rates["SQLite"], strict=True)
        )
        print(f"{name:<26} {statistics.median(each):>7.0f}/s   {ratio:.2f} of SQLite")


if __name__ == "__main__":
    main()
