"""Row-level security: what a query without its tenant sees."""

from typing import Any

import pytest
from sqlalchemy import column, func, insert, select, table, update
from sqlalchemy.exc import ProgrammingError

from app.store.protocol import ExecutionFilter
from app.store.sql import SqlStore
from app.store.sql.columns import metadata
from app.store.sql.tables import dedupe, executions, workflows
from app.store.sql.tenancy import ALL, NOBODY, among
from tests.store import untenanted
from tests.store.company import found

pytestmark = pytest.mark.services
COUNT = select(func.count()).select_from(executions)


@pytest.fixture
def store(postgres_store):
    return postgres_store


@pytest.fixture
def companies(store):
    both = found(store), found(store, name="Other")
    for each in both:
        each.accept()
    return both


def test_without_its_tenant_a_query_of_the_superuser_shows_everybody(
    walled_store, postgres, companies
):
    """The control: what the walls of the contract's tests keep from being seen."""
    unwalled = SqlStore(postgres.url("contract"))
    untenanted.make(unwalled)
    unwalled.start()
    mine = companies[0].id

    def listed(store):
        return store.executions.list(mine, ExecutionFilter(), limit=9, before=None)

    assert {each.tenant_id for each in listed(unwalled)} > {mine}
    assert {each.tenant_id for each in listed(walled_store)} == {mine}
    unwalled.close()


def test_a_transaction_sees_the_rows_of_whom_it_has_named(store, companies):
    one, other = (each.id for each in companies)

    def count(of):
        return store._reader.first(COUNT, of=of)[0]

    assert count(one) == count(other) == 1
    assert count(among([one, other])) == count(ALL) == 2
    assert count(NOBODY) == count("tenant_unknown") == count("a'b") == 0


def test_a_name_does_not_outlive_its_transaction(store, companies):
    store._reader.first(COUNT, of=ALL)
    raw = store._reader._engine.raw_connection()
    raw.driver_connection.execute("SELECT set_config('app.tenant', '', false)")

    seen = raw.driver_connection.execute("SELECT count(*) FROM executions").fetchone()

    raw.close()
    assert seen == (0,)


def test_nobody_writes_beyond_the_wall(store, companies):
    one, other = companies
    hers = workflows.c.tenant_id == other.id
    stolen = update(workflows).values(name="stolen").where(hers)
    forged = insert(dedupe).values(
        tenant_id=other.id, workflow_id="w", key=b"k", execution_id="e", expires_at=1
    )

    changed = store._writer.run(lambda c: c.execute(stolen).rowcount, of=one.id)
    assert changed == 0
    with pytest.raises(ProgrammingError, match="row-level security"):
        store._writer.run(lambda c: c.execute(forged), of=one.id)


def test_every_table_with_a_tenant_is_walled_in_and_its_partitions_are_shut(
    store, postgres
):
    rows = postgres.execute(
        "SELECT relname, relispartition, relrowsecurity AND relforcerowsecurity"
        " FROM pg_class WHERE relkind IN ('r', 'p')"
        " AND relnamespace = 'public'::regnamespace",
        database="contract",
    )
    walled = {name for name, part, forced in rows if forced and not part}
    parts = [(name, forced) for name, part, forced in rows if part]

    with_tenant = {
        each.name for each in metadata.tables.values() if "tenant_id" in each.columns
    }
    assert walled == (with_tenant | {"tenants"}) - {"founding"}
    assert len(parts) > 3
    assert all(forced for _, forced in parts)


def test_a_partition_shows_a_tenant_nothing_by_its_own_name(store, companies, postgres):
    [(part,)] = postgres.execute(
        "SELECT DISTINCT tableoid::regclass::text FROM executions", database="contract"
    )

    everything: Any = select(column("id")).select_from(table(part))
    named = among(each.id for each in companies)
    assert store._reader.all(everything, of=named) == []


def test_the_role_of_the_service_owns_nothing_and_passes_no_wall(store, postgres):
    rights = postgres.execute(
        "SELECT rolsuper, rolbypassrls, rolcreaterole, (SELECT count(*) FROM pg_class"
        " WHERE relowner = r.oid) FROM pg_roles r WHERE rolname = 'sluice'",
        database="contract",
    )

    assert rights == [(False, False, False, 0)]


def test_a_role_that_passes_every_wall_is_told(postgres, installation, caplog):
    message = "Row-level security does not hold for this role"
    for url, told in ((postgres.url("contract"), 1), (installation.url, 0)):
        caplog.clear()
        store = SqlStore(url)
        store.start()
        store.close()
        assert [each.message for each in caplog.records].count(message) == told
