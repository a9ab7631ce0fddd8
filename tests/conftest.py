"""Databases and brokers that tests of any part may use."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.services import postgres as postgresql
from tests.services import redis as redis_server


def pytest_collection_finish() -> None:
    """Look for garbage seldom, and not in what was collected: a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(scope="session")
def postgres() -> Iterator[postgresql.Postgres]:
    """One PostgreSQL for all tests that neither stop nor kill it."""
    if postgresql.binaries() is None:
        pytest.skip("PostgreSQL is not installed")
    server = postgresql.Postgres(**postgresql.QUICK)
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture
def own_postgres() -> Iterator[postgresql.Postgres]:
    """A PostgreSQL that keeps what it commits, for one test to stop and kill."""
    if postgresql.binaries() is None:
        pytest.skip("PostgreSQL is not installed")
    server = postgresql.Postgres()
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[redis_server.Redis]:
    """A Redis for one test, which may kill it; it forgets all when it ends."""
    if redis_server.BINARY is None:
        pytest.skip("redis-server is not installed")
    home = tmp_path / "redis"
    home.mkdir()
    server = redis_server.Redis(home)
    try:
        server.start()
        yield server
    finally:
        server.kill()
