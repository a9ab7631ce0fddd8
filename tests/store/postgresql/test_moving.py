"""A stopped installation moves from SQLite to PostgreSQL and back, byte for byte."""

import os
import sqlite3
from contextlib import closing

import pytest
from sqlalchemy import select

from app.cli import main
from app.domain import ids
from app.domain.dedupe import key_of_id
from app.domain.execution import Failure, Status
from app.domain.ledger import Account, Outcome
from app.domain.process import Kind, Process
from app.domain.times import hour_of
from app.engine.ownership import FileOwnership
from app.store.sql import SqlStore
from app.store.sql.moving import BATCH, LEFT, TABLES
from tests.store.company import (
    HERE,
    LATER,
    NOON,
    THERE,
    credential,
    found,
    payload,
    step,
    token,
)

pytestmark = pytest.mark.services
EVERY_BYTE = bytes(range(256))


@pytest.fixture
def file(tmp_path):
    return tmp_path / "data" / "sluice.db"


@pytest.fixture
def move(tmp_path):
    """The command, with a data directory of this test's own."""

    def run(source, target):
        env = {"SLUICE_DATA_DIR": str(tmp_path / "data")}
        return main(["migrate-store", "--from", source, "--to", target], env)

    return run


def fill(store):
    """Something in every table that matters, more than one batch of it in some."""
    for name in ("Acme", "\N{FISH} & Söhne"):
        company = found(store, name=name)
        store.credentials.add(
            credential(company.id, sealed={"value": os.urandom(40), "raw": EVERY_BYTE})
        )
        store.workflows.rotate(
            company.id, company.workflow.id, token=token(name), until=LATER, at=NOON
        )
        added = []
        for number in range(BATCH + 7):
            held = company.execution(id=ids.new("exec"), key=f"key {number}")
            body = payload(body=EVERY_BYTE * (number % 3))
            key = key_of_id(str(number))
            added.append(store.executions.add(held, body, dedupe=key))
        assert len({each.result(10) for each in added}) == len(added)
        store.executions.start(held, at=NOON).result(5)
        failure = Failure("timeout", "it took \u202e too long", "a")
        company.finish(
            held,
            steps=[step("a", output=EVERY_BYTE), step("b", 1, error=failure)],
            status=Status.FAILED,
            error=failure,
        )
        account = Account(company.id, company.workflow.id, held.trigger, hour_of(NOON))
        store.ledger.book({(account, Outcome.SHED): 3}, process=THERE).result(5)


def opened(url):
    store = SqlStore(url)
    store.start()
    return store


@pytest.fixture
def filled(file):
    """What a stopped process has left, unfinished executions among it."""
    url = f"sqlite:///{file}"
    store = opened(url)
    store.processes.add(process(HERE))
    fill(store)
    store.close()
    return url


def process(name):
    return Process(id=name, kind=Kind.WEB, workers=1, queue=1, started_at=NOON)


def rows_of_file(url):
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        return read(lambda statement: connection.execute(statement).fetchall())


def read(execute):
    """Every row of every table, in the order of the keys."""
    return {
        each.name: execute(str(select(each).order_by(*each.primary_key)))
        for each in TABLES
    }


def test_it_moves_to_postgresql_and_back_byte_for_byte(
    place, filled, move, tmp_path, capsys
):
    place.migrate()
    url = place.installation.url

    assert move(filled, url) == 0
    told = capsys.readouterr().out.split()
    there = read(place.execute)
    assert there == rows_of_file(filled)
    assert len(there["payloads"]) == 2 * (BATCH + 7)
    assert told[told.index("payloads") + 1] == str(2 * (BATCH + 7))

    back = f"sqlite:///{tmp_path}/back.db"
    assert move(url, back) == 0
    assert rows_of_file(back) == there
    assert capsys.readouterr().out.split() == told


def test_what_was_unfinished_goes_on_in_the_new_place(place, filled, move):
    place.migrate()
    assert move(filled, place.installation.url) == 0

    store = place.open()
    claimed = store.executions.claim(HERE, limit=500)
    store.close()

    assert len(claimed) == 2 * (BATCH + 6)  # all but the finished ones


def test_a_target_that_is_not_empty_is_left_alone(place, filled, move, capsys):
    place.migrate()
    store = place.open()
    company = found(store)
    store.close()

    assert move(filled, place.installation.url) == 1

    assert "not empty" in capsys.readouterr().err
    assert [row[0] for row in place.execute("SELECT id FROM tenants")] == [company.id]


def test_a_side_where_a_process_lives_is_refused(place, filled, move, file, capsys):
    place.migrate()
    store = opened(filled)
    living = FileOwnership(file.parent / "owners", process("alive"), store.processes)
    living.acquire()
    assert move(filled, place.installation.url) == 1
    assert "1 processes still own" in capsys.readouterr().err
    living.release()
    store.close()

    there = place.open()
    there.processes.add(process(THERE), lease=30)
    assert move(filled, place.installation.url) == 1
    assert "1 processes still own" in capsys.readouterr().err
    there.processes.remove(THERE)
    there.close()
    assert move(filled, place.installation.url) == 0


def test_when_it_fails_on_the_way_the_target_has_nothing(place, filled, move, capsys):
    place.migrate()
    place.execute("ALTER TABLE steps ADD CONSTRAINT narrow CHECK (position < 1)")
    before = rows_of_file(filled)

    assert move(filled, place.installation.url) == 1

    assert "narrow" in capsys.readouterr().err
    assert [rows for rows in read(place.execute).values() if rows] == []
    place.execute("ALTER TABLE steps DROP CONSTRAINT narrow")
    assert move(filled, place.installation.url) == 0
    assert read(place.execute) == rows_of_file(filled)
    assert rows_of_file(filled)["payloads"] == before["payloads"]


def test_a_source_that_is_not_there_is_not_made(place, tmp_path, move, capsys):
    source = f"sqlite:///{tmp_path}/nowhere.db"

    assert move(source, place.installation.url) == 1
    assert move(source, source) == 1

    told = capsys.readouterr().err
    assert "there is no database" in told
    assert "the same database" in told
    assert not (tmp_path / "nowhere.db").exists()


def test_every_table_moves_but_those_of_processes():
    assert {each.name for each in TABLES}.isdisjoint(LEFT)
    assert {"executions", "payloads", "steps", "credentials"} < {
        each.name for each in TABLES
    }
