import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from app.domain.errors import StoreUnavailable
from app.store.sql import SqlStore
from app.store.sql.columns import metadata
from app.store.sql.tenancy import ALL
from tests.store.company import HERE, process


@pytest.fixture
def fresh(tmp_path):
    """A store whose file and folder did not exist before."""
    store = SqlStore(f"sqlite:///{tmp_path}/new/store.db")
    store.start()
    yield store
    store.close()


def written(store, pragma):
    return store._writer.run(
        lambda connection: connection.exec_driver_sql(f"PRAGMA {pragma}").scalar(),
        of=ALL,
    )


def read(store, pragma):
    return store._reader.first(text(f"PRAGMA {pragma}"), of=ALL)[0]


def test_a_new_file_can_give_pages_back(fresh):
    assert written(fresh, "auto_vacuum") == 2  # incremental


@pytest.mark.parametrize(
    ("pragma", "value"),
    [
        ("journal_mode", "wal"),
        ("synchronous", 2),  # full
        ("foreign_keys", 1),
        ("busy_timeout", 5000),
        ("temp_store", 2),  # memory
        ("trusted_schema", 0),
        ("journal_size_limit", 67108864),
        ("wal_autocheckpoint", 4000),
    ],
)
def test_the_writer_is_set_up(fresh, pragma, value):
    assert written(fresh, pragma) == value


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("query_only", 1), ("busy_timeout", 5000), ("trusted_schema", 0)],
)
def test_readers_are_set_up(fresh, pragma, value):
    assert read(fresh, pragma) == value


def test_a_reader_cannot_write(fresh):
    with pytest.raises(StoreUnavailable) as caught:
        fresh._reader.all(text("DELETE FROM processes"), of=ALL)

    assert "readonly" in str(caught.value.__cause__)


def test_every_table_is_strict(fresh):
    listed = fresh._reader.all(text("PRAGMA table_list"), of=ALL)

    strict = {each.name for each in listed if each.strict}

    assert strict == set(metadata.tables)


def test_a_tables_tenant_leads_its_key():
    without = {"tenants", "founding", "processes", "probe"}
    without |= {"users", "sessions", "tries"}  # a person's, in whatever tenant

    for table in metadata.tables.values():
        first = next(iter(table.primary_key)).name
        assert (first == "tenant_id") == (table.name not in without), table.name


def test_the_file_is_complete_after_closing(tmp_path):
    store = SqlStore(f"sqlite:///{tmp_path}/store.db")
    store.start()
    store.processes.add(process(HERE))
    store.close()

    with closing(sqlite3.connect(tmp_path / "store.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("SELECT id FROM processes").fetchall() == [(HERE,)]
    assert not (tmp_path / "store.db-wal").exists()


def test_preparing_makes_every_table_and_keeps_nothing_open(tmp_path):
    open_before = set(Path("/proc/self/fd").iterdir())

    SqlStore(f"sqlite:///{tmp_path}/store.db").prepare()

    with closing(sqlite3.connect(tmp_path / "store.db")) as connection:
        found = connection.execute("SELECT name FROM sqlite_schema").fetchall()
    assert {name for (name,) in found} >= set(metadata.tables)
    assert set(Path("/proc/self/fd").iterdir()) == open_before


def test_a_file_that_is_no_database_is_reported(tmp_path):
    path = tmp_path / "store.db"
    path.write_bytes(b"this is a diary, not a database\n" * 200)
    store = SqlStore(f"sqlite:///{path}")

    with pytest.raises(StoreUnavailable, match="not a database"):
        store.start()

    store.close()


def test_a_folder_that_cannot_be_made_is_reported(tmp_path):
    (tmp_path / "file").write_text("in the way")
    store = SqlStore(f"sqlite:///{tmp_path}/file/store.db")

    with pytest.raises(StoreUnavailable, match="folder cannot be used"):
        store.start()

    store.close()


@pytest.mark.parametrize(
    "url",
    ["sqlite://", "sqlite:///:memory:", "postgresql://user@host", "mysql://host/name"],
)
def test_a_url_that_names_no_file_is_refused(url):
    with pytest.raises(ValueError, match="must name an SQLite file"):
        SqlStore(url)


def test_a_url_that_is_none_is_refused_without_repeating_it():
    with pytest.raises(ValueError, match="must name an SQLite file") as caught:
        SqlStore("pass:w0rd")

    assert "w0rd" not in str(caught.value)


def test_nothing_is_written_into_a_file_that_was_deleted_until_it_is_back(tmp_path):
    path = tmp_path / "store.db"
    store = SqlStore(f"sqlite:///{path}")
    store.start()
    store.check()
    kept = tmp_path / "kept.db"
    path.rename(kept)

    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="deleted"):
            store.check()
    assert not path.exists()

    kept.rename(path)
    store.check()
    store.close()
