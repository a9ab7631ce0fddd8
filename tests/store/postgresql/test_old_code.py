"""Old processes go on working beside the first new one: migrations only add."""

import pytest
from sqlalchemy import create_engine

from app.store.sql import migrate, tenancy
from app.store.sql.settling import settle
from tests.store.sql import older

pytestmark = pytest.mark.services


@pytest.mark.parametrize("revision", older.revisions())
def test_the_statements_of_an_older_release_work_on_the_newest_tables(place, revision):
    owner = place.installation.owner.replace("postgresql:", "postgresql+psycopg:")
    engine = create_engine(owner)
    with engine.begin() as connection:
        older.upgrade(connection, revision)
        tables = older.known(connection)

        assert migrate.upgrade(connection)
        settle(connection)

        tenancy.limit(connection, tenancy.ALL)
        older.use(connection, tables)
    engine.dispose()
