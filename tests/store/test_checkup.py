"""What may be asked of a database from outside, while a server works with it."""

from collections.abc import Iterator

import pytest

from app.store.protocol import Checkup
from app.store.sql import SqlCheckup, SqlStore
from app.store.sql.migrate import known, newest
from tests.store.company import NOON, Company, found


@pytest.fixture(
    params=["sqlite", pytest.param("postgresql", marks=pytest.mark.services)]
)
def url(request: pytest.FixtureRequest) -> str:
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres_url"))
    return f"sqlite:///{request.getfixturevalue('database')}"


@pytest.fixture
def company(url: str) -> Iterator[Company]:
    """Has accepted one event and finished another, and its store is still in use."""
    store = SqlStore(url)
    store.start()
    one = found(store)
    one.accept()
    one.finish(one.run())
    yield one
    store.close()


@pytest.fixture
def checkup(url: str) -> Iterator[Checkup]:
    one = SqlCheckup(url)
    yield one
    one.close()


def test_a_sound_database_has_no_damage_and_the_newest_schema(company, checkup):
    assert checkup.exists()
    assert list(checkup.damage()) == []
    assert checkup.revision() == (newest(), known())
    assert known()[-1] == newest()
    assert list(checkup.tenants()) == [company.id]
    assert checkup.newest() == NOON


def test_books_are_read_while_they_are_written(company, checkup):
    assert checkup.balance(company.id).received == 2

    company.accept()

    books = checkup.balance(company.id)
    assert books.received == books.accounted == 3


def test_a_database_without_executions_has_no_newest(url, checkup):
    store = SqlStore(url)
    store.start()
    found(store)

    assert checkup.newest() is None
    store.close()


def test_a_file_is_told_with_what_lies_beside_it(database):
    store = SqlStore(f"sqlite:///{database}")
    store.start()
    store.check()  # writes
    checkup = SqlCheckup(f"sqlite:///{database}")

    names = {each.name for each in checkup.files()}

    assert names >= {"store.db", "store.db-wal", "store.db-shm", "store.db.lock"}
    checkup.close()
    store.close()


def test_where_there_is_no_file_none_is_made(tmp_path):
    checkup = SqlCheckup(f"sqlite:///{tmp_path}/none.db")

    assert not checkup.exists()
    assert list(checkup.files()) == []
    checkup.close()
    assert list(tmp_path.iterdir()) == []
