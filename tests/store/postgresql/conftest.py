import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from app.store.sql import SqlStore
from tests.services.postgres import Installation, Postgres


@dataclass(frozen=True)
class Place:
    """A database of one test's own, empty at first."""

    installation: Installation
    execute: Callable[..., Sequence[tuple[Any, ...]]]  # as the superuser

    def open(self, url: str | None = None) -> SqlStore:
        """Start a store there, as who uses the tables unless told otherwise."""
        store = SqlStore(url or self.installation.url)
        store.start()
        return store

    def migrate(self) -> None:
        """Bring the tables up to date, as their owner."""
        self.open(self.installation.owner).close()


@pytest.fixture
def place(postgres: Postgres) -> Iterator[Place]:
    name = f"own_{uuid.uuid4().hex}"
    installation = postgres.install(name)
    yield Place(installation, partial(postgres.execute, database=name))
    postgres.execute(f"DROP DATABASE {name} WITH (FORCE)")
