"""Old processes go on working beside the first new one: migrations only add."""

import pytest
from sqlalchemy import create_engine

from app.store.sql import migrate
from tests.store.sql import older


@pytest.mark.parametrize("revision", older.revisions())
def test_the_statements_of_an_older_release_work_on_the_newest_tables(
    tmp_path, revision
):
    engine = create_engine(f"sqlite:///{tmp_path}/store.db")
    with engine.begin() as connection:
        older.upgrade(connection, revision)
        tables = older.known(connection)

        assert migrate.upgrade(connection)

        older.use(connection, tables)
    engine.dispose()
