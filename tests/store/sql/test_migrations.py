import sqlite3
from contextlib import closing

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from app.store.sql import SqlStore
from app.store.sql.columns import metadata


@pytest.fixture
def connect(database):
    engine = create_engine(f"sqlite:///{database}")
    yield engine.connect
    engine.dispose()


def ddl(path) -> set[str]:
    """Return every statement that made the schema, but Alembic's own."""
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute(
            "SELECT sql FROM sqlite_master"
            " WHERE sql IS NOT NULL AND name <> 'alembic_version'"
        )
        return {" ".join(sql.split()) for (sql,) in rows}


def restart(path):
    store = SqlStore(f"sqlite:///{path}")
    store.start()
    store.close()


def revision(path, change=None):
    with closing(sqlite3.connect(path)) as connection, connection:
        if change is not None:
            connection.execute("UPDATE alembic_version SET version_num = ?", (change,))
        return connection.execute("SELECT version_num FROM alembic_version").fetchall()


def test_the_migrated_schema_is_that_of_the_tables(connect):
    with connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})

        assert compare_metadata(context, metadata) == []


def test_it_is_so_to_the_letter(database, tmp_path):
    engine = create_engine(f"sqlite:///{tmp_path}/direct.db")
    metadata.create_all(engine)
    engine.dispose()

    assert ddl(database) == ddl(tmp_path / "direct.db")


def test_a_second_start_changes_nothing(database):
    before = ddl(database)

    restart(database)

    assert ddl(database) == before


def test_a_database_of_a_newer_release_is_left_as_it_is(database, caplog):
    revision(database, "9999")

    restart(database)

    assert revision(database) == [("9999",)]
    assert "newer than this release" in caplog.text


def test_a_migration_that_fails_leaves_nothing(tmp_path):
    path = tmp_path / "store.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE steps (in_the_way)")
    before = ddl(path)

    with pytest.raises(Exception, match="already exists"):
        restart(path)

    assert ddl(path) == before
