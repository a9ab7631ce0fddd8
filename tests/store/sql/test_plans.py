"""How SQLite carries out the statements whose cost must not grow with the rows.

Nothing of ours runs ANALYZE, so plans depend on the schema alone.
"""

import re
import sqlite3
from collections.abc import Sequence
from contextlib import closing

import pytest
from sqlalchemy import select
from sqlalchemy.dialects import sqlite

from app.domain.dedupe import key_of_id
from app.domain.execution import Status, Trigger
from app.store.protocol import AuditFilter, ExecutionFilter
from app.store.sql import (
    SqlStore,
    audit,
    dedupe,
    ledger,
    listing,
    owed,
    tables,
    transitions,
)
from app.store.sql.api_keys import key_by_prefix
from app.store.sql.credentials import by_name
from app.store.sql.workflows import current_by_former_token, current_by_token
from tests.store.company import HERE, LATER, NOON, found, payload

ROWS = 40  # of each state
USER = f"user_{'0' * 32}"
PRIMARY = "SEARCH executions USING PRIMARY KEY (tenant_id=? AND id=?)"
KEYS = "SEARCH dedupe USING"
BY_KEY = "(tenant_id=? AND workflow_id=? AND key=?)"
NAMES = "SEARCH w USING PRIMARY KEY (tenant_id=? AND id=?)"


@pytest.fixture(scope="module")
def explain(tmp_path_factory):
    """Returns the plan of a statement on a database with rows."""
    path = tmp_path_factory.mktemp("plans") / "store.db"
    store = SqlStore(f"sqlite:///{path}")
    store.start()
    for company in (found(store), found(store, name="Other")):
        company.another(name="Second")
        executions = [
            company.execution(status=status, owner=owner)
            for status in Status
            for owner in (HERE, None)
            for _ in range(ROWS // 2)
        ]
        futures = [
            store.executions.add(each, payload(), dedupe=key_of_id(each.id))
            for each in executions
        ]
        ids = [each.id for each in executions]
        assert [each.result(timeout=5) for each in futures] == ids
    store.close()
    with closing(sqlite3.connect(path)) as connection:

        def plan(statement) -> Sequence[str]:
            compiled = statement.compile(
                dialect=sqlite.dialect(), compile_kwargs={"render_postcompile": True}
            )
            values = compiled.params
            rows = connection.execute(
                f"EXPLAIN QUERY PLAN {compiled}",
                [values[name] for name in compiled.positiontup],
            )
            return [row[3] for row in rows]

        yield plan


first_or_next = pytest.mark.parametrize("before", [None, "exec_f"])


def page(*, before=None, **wanted):
    return listing.page("tenant_1", ExecutionFilter(**wanted), limit=50, before=before)


def test_owed_work_is_claimed_by_the_index_of_what_is_queued(explain):
    plan = explain(owed.claim(HERE, limit=10))

    assert PRIMARY in plan
    assert "SEARCH executions USING INDEX ix_executions_queued (owner=?)" in plan
    assert NAMES in plan
    assert_cheap(plan)


def test_waiting_work_is_woken_by_the_index_of_what_waits(explain):
    plan = explain(owed.wake(LATER, limit=10))

    assert PRIMARY in plan
    assert "SEARCH executions USING INDEX ix_executions_waiting (wake_at<?)" in plan
    assert_cheap(plan)


def test_the_next_time_to_wake_is_the_first_entry_of_that_index(explain):
    assert explain(owed.next_wake()) == [
        "SCAN executions USING INDEX ix_executions_waiting"
    ]


def test_what_waits_is_seen_by_the_index_of_what_is_queued(explain):
    search = "SEARCH executions USING INDEX ix_executions_queued (owner=?)"

    assert search in explain(owed.count(limit=10))
    for whose in (HERE, None):
        assert explain(owed.first(whose)) == [search]


def test_work_is_taken_from_its_owner_by_the_indexes_of_what_lives(explain):
    queued = "SEARCH executions USING INDEX ix_executions_queued (owner=?)"
    running = "SEARCH executions USING INDEX ix_executions_running (owner=?)"

    assert explain(owed.release(owed.of(HERE))) == [queued]
    assert explain(owed.interrupt(owed.of(HERE))) == [running]


def test_requests_to_stop_are_found_by_the_index_of_what_runs(explain):
    assert explain(owed.cancel_requested(HERE)) == [
        "SEARCH executions USING INDEX ix_executions_running (owner=?)"
    ]


def test_a_held_execution_is_changed_by_its_key(explain):
    for kind in (
        transitions.START,
        transitions.PARK,
        transitions.HAND_BACK,
        transitions.FINISH,
    ):
        assert explain(kind.statement) == [PRIMARY]


@first_or_next
def test_a_page_is_a_range_of_the_tenants_executions(explain, before):
    plan = explain(page(before=before))

    assert plan[0] == "SEARCH executions USING PRIMARY KEY (tenant_id=? AND id<?)"
    assert NAMES in plan
    assert_cheap(plan)


@first_or_next
def test_a_page_of_one_workflow_is_a_range_of_its_index(explain, before):
    plan = explain(page(workflow_id="wf_1", before=before))

    assert plan[0] == (
        "SEARCH executions USING INDEX ix_executions_workflow"
        " (tenant_id=? AND workflow_id=? AND id<?)"
    )
    assert_cheap(plan)


@first_or_next
@pytest.mark.parametrize(
    "status",
    [Status.FAILED, Status.UNKNOWN, Status.QUARANTINED, Status.CANCELLED],
)
def test_a_page_of_what_went_wrong_is_a_range_of_its_index(explain, before, status):
    plan = explain(page(status=status, before=before))

    assert plan[0] == (
        "SEARCH executions USING INDEX ix_executions_unwelcome"
        " (tenant_id=? AND status=? AND id<?)"
    )
    assert_cheap(plan)


@first_or_next
def test_a_page_of_what_no_webhook_started_is_a_range_of_its_index(explain, before):
    plan = explain(page(trigger=Trigger.MANUAL, since=NOON, before=before))

    assert plan[0] == (
        "SEARCH executions USING INDEX ix_executions_trigger"
        " (tenant_id=? AND trigger=? AND id<?)"
    )
    assert_cheap(plan)


@pytest.mark.parametrize("status", [Status.QUEUED, Status.RUNNING, Status.WAITING])
def test_a_page_of_what_lives_reads_only_what_lives(explain, status):
    plan = explain(page(status=status))

    assert plan[0] == f"SCAN executions USING INDEX ix_executions_{status}"


def test_a_page_of_several_conditions_walks_no_further_than_the_tenant(explain):
    plan = explain(page(status=Status.SUCCESS, trigger=Trigger.WEBHOOK))

    assert plan[0] == "SEARCH executions USING PRIMARY KEY (tenant_id=? AND id<?)"
    assert_cheap(plan)


@first_or_next
@pytest.mark.parametrize(
    ("wanted", "read"),
    [
        ({}, "PRIMARY KEY (tenant_id=? AND id>? AND id<?)"),
        (
            {"workflow_id": "wf_1"},
            "INDEX ix_executions_workflow (tenant_id=? AND workflow_id=? AND id<?)",
        ),
        (
            {"status": Status.FAILED},
            "INDEX ix_executions_unwelcome (tenant_id=? AND status=? AND id<?)",
        ),
    ],
)
def test_a_page_of_a_stretch_of_time_reads_that_time_or_what_else_is_asked_for(
    explain, before, wanted, read
):
    plan = explain(page(since=NOON, until=LATER, before=before, **wanted))

    assert plan[0] == f"SEARCH executions USING {read}"
    assert_cheap(plan)


@first_or_next
def test_a_text_is_taken_for_the_beginning_of_ids_by_one_bound_on_each_side(before):
    """Of several the planner takes any one, and reads on to the end of the tenant."""
    written = str(page(q="exec_1", since=NOON, until=LATER, before=before))
    [ids] = re.findall(r"(SELECT executions\.id.*?LIMIT)", written, re.DOTALL)

    assert re.findall(r"executions\.id (>=|<) ", ids) == [">=", "<"]


KEYED = "COVERING INDEX ix_executions_key (tenant_id=? AND key=? AND id"
CODED = "COVERING INDEX ix_executions_error (tenant_id=? AND error_code=? AND id"
NAMED = "COVERING INDEX ix_executions_workflow (tenant_id=? AND workflow_id=? AND id>? "
BY_ID = "PRIMARY KEY (tenant_id=? AND id>? AND id<?)"
BY_STATUS = "INDEX ix_executions_unwelcome (tenant_id=? AND status=? AND id"


def walked(plan):
    """Return how each meaning of a text is looked for, without what is looked up."""
    read = re.compile(r"(?:SEARCH|SCAN) (?:executions|listed) (.*)")
    found = [read.match(each) for each in plan]
    ways = [each[1].removeprefix("USING ") for each in found if each]
    return [each for each in ways if "AND id=?" not in each]


@first_or_next
@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"status": Status.SUCCESS},
        {"trigger": Trigger.WEBHOOK},
        {"since": NOON},
        {"until": LATER},
        {"since": NOON, "until": LATER},
    ],
)
def test_text_is_looked_for_by_an_index_for_each_meaning(explain, before, wanted):
    plan = explain(page(q="exec_1", before=before, **wanted))

    assert plan[0] == PRIMARY
    by_id, by_key, by_code, *by_name = walked(plan[1:])
    assert by_id == BY_ID
    assert by_key.startswith(KEYED)
    assert by_code.startswith(CODED)
    assert len(by_name) == 3
    assert {each.startswith(NAMED) for each in by_name} == {True}


@first_or_next
def test_text_among_what_went_wrong_is_looked_for_by_its_own_index_too(explain, before):
    plan = explain(page(q="exec_1", status=Status.FAILED, before=before))

    by_id, by_key, by_code, by_name = walked(plan[1:])
    assert by_id.removeprefix("COVERING ").startswith(BY_STATUS)
    assert by_key.startswith(KEYED)
    assert by_code.startswith(CODED)
    assert by_name.startswith(BY_STATUS)


def test_text_among_what_lives_is_looked_for_by_reading_only_what_lives(explain):
    plan = explain(page(q="exec_1", status=Status.WAITING))

    assert walked(plan[1:]) == ["INDEX ix_executions_waiting"] * 4


def test_the_books_of_a_workflow_count_its_own_executions_only(explain):
    plan = explain(ledger.states("tenant_1", "wf_1", ledger.Hours(NOON, LATER)))

    assert plan[0] == PRIMARY
    assert (
        "SEARCH listed USING COVERING INDEX ix_executions_workflow"
        " (tenant_id=? AND workflow_id=? AND id>?)"
    ) in plan


def test_the_door_of_a_workflow_is_a_range_of_hours(explain):
    plan = explain(ledger.door("tenant_1", "wf_1", ledger.Hours(NOON, LATER)))

    assert plan[0] == (
        "SEARCH ledger USING PRIMARY KEY"
        " (tenant_id=? AND workflow_id=? AND hour>? AND hour<?)"
    )


def test_a_dead_processs_counters_are_found_by_its_name(explain):
    assert explain(select(tables.ledger).where(*ledger.owned(HERE))) == [
        "SEARCH ledger USING INDEX ix_ledger_process (process=?)"
    ]


def test_who_holds_a_key_is_found_by_the_key_alone(explain):
    named = {"tenant_id": "tenant_1", "workflow_id": "wf_1", "key": b"key"}

    assert explain(dedupe.HOLDER.params(named)) == [f"{KEYS} PRIMARY KEY {BY_KEY}"]
    forget = dedupe.forget("tenant_1", "wf_1", b"key", "exec_1")
    assert explain(forget) == [f"{KEYS} PRIMARY KEY {BY_KEY}"]


def test_expired_keys_are_found_by_their_age(explain):
    plan = explain(dedupe.sweep(LATER, limit=10))

    assert f"{KEYS} PRIMARY KEY {BY_KEY}" in plan
    assert f"{KEYS} COVERING INDEX ix_dedupe_expires (expires_at<?)" in plan
    assert_cheap(plan)


def test_a_webhooks_token_is_found_by_its_hash(explain):
    assert explain(current_by_token("token")) == [
        "SEARCH workflows USING INDEX ux_workflows_token (token_hash=?)",
        (
            "SEARCH versions USING INDEX sqlite_autoindex_versions_1"
            " (tenant_id=? AND workflow_id=? AND number=?)"
        ),
    ]


def test_an_api_key_is_found_by_its_public_part(explain):
    assert explain(key_by_prefix("prefix")) == [
        "SEARCH api_keys USING INDEX ux_api_keys_prefix (prefix=?)",
        "SEARCH members USING PRIMARY KEY (tenant_id=? AND user_id=?)",
    ]


def assert_cheap(plan):
    """Nothing reads a whole table or sorts; what was taken has a limit."""
    costly = [each for each in plan if each.startswith(("SCAN", "USE TEMP"))]
    assert [each for each in costly if each != "SCAN taken"] == []


def test_a_former_token_is_found_by_its_hash_too(explain):
    assert explain(current_by_former_token("token")) == [
        "SEARCH former_tokens USING INDEX ux_former_tokens_hash (token_hash=?)",
        "SEARCH workflows USING PRIMARY KEY (tenant_id=? AND id=?)",
        (
            "SEARCH versions USING INDEX sqlite_autoindex_versions_1"
            " (tenant_id=? AND workflow_id=? AND number=?)"
        ),
    ]


def test_a_credential_is_found_by_its_name(explain):
    assert explain(by_name("tenant_1", "hook")) == [
        "SEARCH credentials USING INDEX ux_credentials_name (tenant_id=? AND name=?)"
    ]


@pytest.mark.parametrize(
    ("wanted", "read"),
    [
        ({}, "PRIMARY KEY (tenant_id=? AND id<?)"),
        ({"action": "key.create"}, "INDEX ix_audit_action (tenant_id=? AND action=?"),
        ({"target": "wf_1"}, "INDEX ix_audit_target (tenant_id=? AND target=?"),
        ({"actor": USER}, "INDEX ix_audit_user (tenant_id=? AND user_id=?"),
        ({"actor": "key_1"}, "INDEX ix_audit_via (tenant_id=? AND via=?"),
    ],
)
def test_the_audit_log_is_read_by_what_is_asked_for(explain, wanted, read):
    shown = AuditFilter(**wanted)

    plan = explain(audit.page("tenant_1", shown, limit=50, before="audit_f"))

    assert plan[0].startswith(f"SEARCH audit USING {read}")
    assert_cheap(plan)
