"""How PostgreSQL carries out the statements whose cost must not grow with the rows.

The planner is told to read no whole table if it can help it: with as few rows as here
it would, and it is asked whether it must.
"""

import re
from collections.abc import Collection, Mapping
from typing import Any

import pytest
from sqlalchemy.dialects.postgresql import psycopg

from app.domain.dedupe import key_of_id
from app.domain.execution import Status
from app.store.protocol import ExecutionFilter
from app.store.sql import SqlStore, dedupe, listing, owed, transitions
from app.store.sql.api_keys import key_by_prefix
from app.store.sql.tenancy import ALL, limit
from app.store.sql.workflows import current_by_token
from tests.store.company import HERE, LATER, found, payload

pytestmark = pytest.mark.services
ROWS = 150  # of each state, owner and tenant: reading all of them is the dearer way
BY_KEY = "(tenant_id, id)"
USED = re.compile(r"(?:using|Bitmap Index Scan on) (\w+)")
READ = re.compile(r"Seq Scan on (\w+)")


@pytest.fixture(scope="module")
def companies(postgres):
    """Two tenants with some executions of every kind, as the planner knows them."""
    store = SqlStore(postgres.install("plans").owner)
    store.start()
    both = [found(store), found(store, name="Other")]
    futures = [
        store.executions.add(new, payload(), dedupe=key_of_id(new.id))
        for company in both
        for status in Status
        for owner in (HERE, None)
        for _ in range(ROWS)
        for new in [company.execution(status=status, owner=owner)]
    ]
    for each in futures:
        each.result(timeout=60)
    postgres.execute("ANALYZE", database="plans")
    yield both
    store.close()


@pytest.fixture
def indexes(companies, postgres):
    """Returns what indexes a statement uses: columns and condition of each."""
    known = dict(
        postgres.execute("SELECT indexname, indexdef FROM pg_indexes", database="plans")
    )
    parts = {
        name
        for (name,) in postgres.execute(
            "SELECT relname FROM pg_class WHERE relispartition"
            " AND relkind = 'r' AND reltuples <= 0",
            database="plans",
        )
    }

    def used(statement: Any, **values: object) -> Collection[str]:
        plan = explained(companies[0], statement, values)
        assert {each for each in READ.findall(plan) if each not in parts} == set(), plan
        return {
            known[name].partition(" USING btree ")[2].replace("::text", "")
            for name in USED.findall(plan)
            if name in known
        }

    return used


def explained(company: Any, statement: Any, values: Mapping[str, object]) -> str:
    compiled = statement.compile(
        dialect=psycopg.dialect(), compile_kwargs={"render_postcompile": True}
    )
    given = {**compiled.params, **values}

    def ask(connection: Any) -> str:
        limit(connection, ALL)
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        rows = connection.exec_driver_sql(f"EXPLAIN {compiled}", given)
        return "\n".join(row[0] for row in rows)

    plan: str = company.store._writer.run(ask, of=ALL)
    return plan


def page(companies, **wanted):
    return listing.page(
        companies[0].id, ExecutionFilter(**wanted), limit=20, before=None
    )


def test_owed_work_is_claimed_by_the_index_of_what_is_queued(indexes):
    assert indexes(owed.claim(HERE, limit=10)) >= {
        "(owner, id) WHERE (status = 'queued')",
        BY_KEY,
    }


def test_waiting_work_is_woken_by_the_index_of_what_waits(indexes):
    assert indexes(owed.wake(LATER, limit=10)) >= {
        "(wake_at, id) WHERE (status = 'waiting')",
        BY_KEY,
    }


def test_a_held_execution_is_changed_by_its_key(indexes, companies):
    one = companies[0].executions.list(
        companies[0].id, ExecutionFilter(), limit=1, before=None
    )[0]
    held = transitions.held_by(one)

    for kind in (transitions.START, transitions.PARK, transitions.FINISH):
        assert indexes(kind.statement, new_wake_at=1, **held) == {BY_KEY}


def test_a_page_is_a_range_of_the_tenants_executions(indexes, companies):
    assert BY_KEY in indexes(page(companies))


def test_a_page_of_one_workflow_or_of_what_went_wrong_is_a_range_of_its_index(
    indexes, companies
):
    of_workflow = page(companies, workflow_id=companies[0].workflow.id)
    failed = page(companies, status=Status.FAILED)

    assert indexes(of_workflow) & {BY_KEY, "(tenant_id, workflow_id, id)"}
    assert [
        each for each in indexes(failed) if each.startswith("(tenant_id, status, id)")
    ]


def test_text_is_looked_for_by_an_index_for_each_meaning(indexes, companies):
    found = indexes(page(companies, q="order"))

    assert found >= {
        "(tenant_id, workflow_id, id)",
        "(tenant_id, key, id) WHERE (key IS NOT NULL)",
        "(tenant_id, error_code, id) WHERE (error_code IS NOT NULL)",
    }


def test_who_holds_a_key_is_found_by_the_key_alone(indexes, companies):
    named = {"tenant_id": companies[0].id, "workflow_id": "wf", "key": b"key"}

    assert indexes(dedupe.HOLDER, **named) == {"(tenant_id, workflow_id, key)"}


def test_secrets_are_found_by_what_is_public_of_them(indexes):
    assert "(prefix)" in indexes(key_by_prefix("prefix"))
    assert "(token_hash)" in indexes(current_by_token("token"))
