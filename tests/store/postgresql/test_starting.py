"""The first start, the next release, and who may do what."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from app.cli import main
from app.domain.errors import StoreUnavailable
from app.store.sql import SqlStore
from app.store.sql.columns import metadata

pytestmark = pytest.mark.services


def test_of_processes_that_start_at_once_one_migrates_and_the_others_wait(
    place, caplog
):
    caplog.set_level("INFO")
    stores = [SqlStore(place.installation.owner) for _ in range(4)]

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(SqlStore.start, stores))

    for each in stores:
        each.check()
        each.close()
    told = [each.message for each in caplog.records]
    assert told.count("Database migrated") == 1
    assert told.count("Partitions made") == 1


def test_the_migrated_schema_is_that_of_the_tables(place):
    place.migrate()
    engine = create_engine(
        place.installation.owner.replace("postgresql:", "postgresql+psycopg:")
    )
    with engine.connect() as connection:
        parts = {
            name
            for (name,) in place.execute(
                "SELECT relname FROM pg_class WHERE relispartition"
            )
        }
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "include_name": lambda name, kind, _: (
                    kind != "table" or name not in parts
                ),
            },
        )
        differences = compare_metadata(context, metadata)
    engine.dispose()

    assert [each for each in differences if each[0] != "add_fk"] == []
    missing = {each[1].table.name for each in differences}
    assert missing == {"payloads", "steps"}  # they go with their partitions


def test_every_text_sorts_by_its_bytes(place):
    place.migrate()

    others = place.execute(
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND data_type = 'text'"
        " AND collation_name IS DISTINCT FROM 'C'"
    )

    assert others == []


def test_who_may_not_change_the_tables_is_told_what_to_do(place):
    with pytest.raises(StoreUnavailable, match="python -m app migrate"):
        place.open()

    place.migrate()
    place.open().close()


def test_the_owner_migrates_by_a_command(place, capsys):
    installation = place.installation
    assert main(["migrate"], {"DATABASE_URL": installation.owner}) == 0
    assert "of this release" in capsys.readouterr().err

    place.open().close()
    assert main(["migrate"], {"DATABASE_URL": installation.url}) == 0  # nothing to do


def test_a_database_of_a_newer_release_is_left_as_it_is(place, caplog):
    place.migrate()
    place.execute("UPDATE alembic_version SET version_num = '9999'")

    place.open().close()

    assert place.execute("SELECT version_num FROM alembic_version") == [("9999",)]
    assert "newer than this release" in caplog.text


def test_no_message_shows_the_password(place, capsys):
    url = place.installation.url.replace("sluice@", "sluice:hunter2@")
    wrong = url.rpartition("/")[0] + "/nowhere"

    with pytest.raises(StoreUnavailable, match="nowhere") as caught:
        place.open(wrong)

    assert "hunter2" not in str(caught.value)
    assert main(["migrate"], {"DATABASE_URL": wrong}) == 1
    assert "hunter2" not in capsys.readouterr().err
