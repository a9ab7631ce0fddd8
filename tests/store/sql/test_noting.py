"""An entry and what it tells of are one transaction."""

import sqlite3
from contextlib import closing

import pytest

from app.domain.audit import Actor, Change, Deed
from app.domain.errors import Conflict, Invalid, NotFound
from app.store.protocol import AuditFilter
from tests.store.company import credential, found


@pytest.fixture
def company(sql_store):
    return found(sql_store)


def noting(company, deed):
    actor = Actor(tenant_id=company.id)
    return company.store.noting(lambda _: [actor.did(deed)])


def log(company):
    return company.store.audit.list(company.id, AuditFilter(), limit=9, before=None)


def test_a_change_whose_entry_cannot_be_written_is_not_made(company):
    told = noting(company, Deed("bad", "t", {"n": Change(None, object())}))

    with pytest.raises(Invalid):
        told.credentials.add(credential(company.id))

    assert log(company) == []
    with pytest.raises(NotFound):
        company.store.credentials.by_name(company.id, "github-hook")


def test_a_change_that_the_database_takes_back_takes_its_entry_along(database, company):
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(
            "CREATE TRIGGER full AFTER INSERT ON audit"
            " BEGIN SELECT RAISE(ABORT, 'full'); END"
        )

    with pytest.raises(Conflict, match="collides"):
        noting(company, Deed("made", "t")).credentials.add(credential(company.id))

    assert log(company) == []
    with pytest.raises(NotFound):
        company.store.credentials.by_name(company.id, "github-hook")
