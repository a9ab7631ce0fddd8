import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete

from app.store.memory import MemoryStore
from app.store.protocol import Store
from app.store.sql import SqlStore
from app.store.sql.columns import metadata
from tests.services.postgres import Installation, Postgres
from tests.store import untenanted
from tests.store.company import Company, found


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with every table and no row, to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "store.db"
    SqlStore(f"sqlite:///{path}").prepare()
    return path


@pytest.fixture
def database(migrated: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(migrated, tmp_path / "store.db"))


@pytest.fixture
def memory_store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def sql_store(database) -> Iterator[SqlStore]:
    store = SqlStore(f"sqlite:///{database}")
    store.start()
    yield store
    store.close()


@pytest.fixture(scope="session")
def installation(postgres: Postgres) -> Installation:
    """A PostgreSQL database with every table."""
    made = postgres.install("contract")
    SqlStore(made.owner).prepare()
    return made


@pytest.fixture
def postgres_url(postgres: Postgres, installation: Installation) -> str:
    """The same, without a row; for a role with no more rights than it needs."""
    children_first = reversed(metadata.sorted_tables)
    empty = ";".join(str(delete(each)) for each in children_first)
    postgres.execute(empty, database="contract")
    return installation.url


@pytest.fixture
def postgres_store(postgres_url) -> Iterator[SqlStore]:
    store = SqlStore(postgres_url)
    store.start()
    yield store
    store.close()


@pytest.fixture
def walled_store(postgres_url) -> Iterator[SqlStore]:
    """One whose queries have lost their tenant: only the database's wall is left."""
    store = SqlStore(postgres_url)
    untenanted.make(store)
    store.start()
    yield store
    store.close()


@pytest.fixture(
    params=[
        pytest.param("memory_store", id="memory"),
        pytest.param("sql_store", id="sqlite"),
        pytest.param("postgres_store", id="postgresql", marks=pytest.mark.services),
        pytest.param("walled_store", id="walled", marks=pytest.mark.services),
    ]
)
def store(request: pytest.FixtureRequest) -> Store:
    """Every store there is: they keep the same contract."""
    one: Store = request.getfixturevalue(request.param)
    return one


@pytest.fixture
def company(store) -> Company:
    return found(store)


@pytest.fixture
def other(store) -> Company:
    """Another tenant of the same store, who must see nothing of the first."""
    return found(store, name="Other")
