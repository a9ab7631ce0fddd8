import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete

from app.store.memory import MemoryStore
from app.store.protocol import Store
from app.store.sql import SqlStore
from app.store.sql.columns import metadata
from tests.services.postgres import Postgres
from tests.store.company import Company, found


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with every table and no row, to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "store.db"
    store = SqlStore(f"sqlite:///{path}")
    store.start()
    store.close()
    return path


@pytest.fixture
def database(migrated: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(migrated, tmp_path / "store.db"))


@pytest.fixture
def sql_store(database) -> Iterator[SqlStore]:
    store = SqlStore(f"sqlite:///{database}")
    store.start()
    yield store
    store.close()


@pytest.fixture(scope="session")
def migrated_url(postgres: Postgres) -> str:
    """A PostgreSQL database with every table."""
    url = postgres.create("contract")
    store = SqlStore(url)
    store.start()
    store.close()
    return url


@pytest.fixture
def postgres_url(postgres: Postgres, migrated_url: str) -> str:
    """The same, without a row."""
    children_first = reversed(metadata.sorted_tables)
    empty = ";".join(str(delete(each)) for each in children_first)
    postgres.execute(empty, database="contract")
    return migrated_url


@pytest.fixture
def postgres_store(postgres_url) -> Iterator[SqlStore]:
    store = SqlStore(postgres_url)
    store.start()
    yield store
    store.close()


@pytest.fixture(
    params=[
        "memory",
        "sqlite",
        pytest.param("postgresql", marks=pytest.mark.services),
    ]
)
def store(request: pytest.FixtureRequest) -> Store:
    """Every store there is: they keep the same contract."""
    if request.param == "memory":
        return MemoryStore()
    name = {"sqlite": "sql_store", "postgresql": "postgres_store"}[request.param]
    sql: Store = request.getfixturevalue(name)
    return sql


@pytest.fixture
def company(store) -> Company:
    return found(store)


@pytest.fixture
def other(store) -> Company:
    """Another tenant of the same store, who must see nothing of the first."""
    return found(store, name="Other")
