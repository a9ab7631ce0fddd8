"""The first release kept the tokens of webhooks in plain; the next start seals them."""

import sqlite3
from contextlib import closing

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from app.security import tokens
from app.security.vault import Vault
from app.store.sql import SqlStore, migrate

COUNT = 400
CANARY = "canary-of-the-first-release-"
AT = 1_700_000_000_000


def plain(number: int) -> str:
    return f"{CANARY}{number:04}"


@pytest.fixture
def vault():
    return Vault([b"k" * 32])


@pytest.fixture
def first_release(tmp_path):
    """A database of the first release, with its journal: one process still runs."""
    path = tmp_path / "store.db"
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA journal_mode = WAL")
        config = Config()
        config.set_main_option("script_location", str(migrate.HERE))
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.commit()
    engine.dispose()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA secure_delete = OFF")
        connection.execute("INSERT INTO tenants VALUES ('t', 'Acme', ?)", (AT,))
        for n in range(COUNT):
            hashed = tokens.digest(plain(n))
            row = ("t", f"wf_{n}", f"w{n}", f"w{n}", 1, 1, plain(n), hashed, AT, AT)
            connection.execute(
                "INSERT INTO workflows VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)", row
            )
            version = ("t", f"wf_{n}", 1, b'{"steps":[]}', "user_1", AT)
            connection.execute(
                "INSERT INTO versions VALUES (?, ?, ?, ?, ?, ?)", version
            )
        connection.commit()
        yield path


def traces(path) -> int:
    """Count the canaries in the database and whatever stands beside it."""
    files = path.parent.glob(f"{path.name}*")
    return sum(each.read_bytes().count(CANARY.encode()) for each in files)


def test_after_the_start_no_token_is_left_in_plain(first_release, vault):
    assert traces(first_release) >= COUNT

    store = SqlStore(f"sqlite:///{first_release}", vault=vault)
    store.start()

    assert traces(first_release) == 0
    store.close()


def test_the_urls_stay_what_they_were(first_release, vault):
    store = SqlStore(f"sqlite:///{first_release}", vault=vault)
    store.start()

    for number in (0, COUNT // 2, COUNT - 1):
        found = store.workflows.by_token(plain(number))
        assert found is not None
        assert found.workflow.id == f"wf_{number}"
        assert tokens.opened(vault, found.workflow) == plain(number)
    store.close()


def test_it_happens_once(first_release, vault, caplog):
    caplog.set_level("INFO")
    for _ in range(3):
        store = SqlStore(f"sqlite:///{first_release}", vault=vault)
        store.start()
        store.close()

    told = [each for each in caplog.records if each.message == "Webhook tokens sealed"]
    assert [vars(each)["count"] for each in told] == [COUNT]
