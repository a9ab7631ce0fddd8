"""The query behind a list of executions."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Select,
    and_,
    func,
    literal_column,
    select,
    union_all,
)

from app.domain.execution import Status
from app.domain.times import to_ms
from app.store.protocol import ExecutionFilter
from app.store.sql.owed import VIEW
from app.store.sql.tables import UNWELCOME, executions, workflows
from app.store.sql.transitions import is_in

LAST = "\U0010ffff"  # sorts after every other character
# The index of each state that is rare; a list of any other walks the tenant's own.
IS_UNWELCOME = literal_column(
    UNWELCOME, Boolean
)  # the index's own words, or it is not used
INDEX = {
    Status.QUEUED: "ix_executions_queued",
    Status.RUNNING: "ix_executions_running",
    Status.WAITING: "ix_executions_waiting",
}
UNWELCOME_STATES = frozenset(
    {Status.CANCELLED, Status.FAILED, Status.QUARANTINED, Status.UNKNOWN}
)


def page(
    tenant_id: str, wanted: ExecutionFilter, *, limit: int, before: str | None
) -> Select[Any]:
    """Find the newest executions that a filter shows, with ids below `before`."""
    conditions = [executions.c.tenant_id == tenant_id, *_conditions(wanted)]
    if before is not None:
        conditions.append(executions.c.id < before)
    query = _newest(select(*VIEW), conditions, limit)
    if wanted.q is not None:
        return query.where(_found(tenant_id, wanted.q, conditions, limit))
    if wanted.status in INDEX:
        return query.with_hint(
            executions, f"INDEXED BY {INDEX[wanted.status]}", "sqlite"
        )
    return query


def _newest(
    query: Select[Any], conditions: list[ColumnElement[bool]], limit: int
) -> Select[Any]:
    return query.where(*conditions).order_by(executions.c.id.desc()).limit(limit)


def _conditions(wanted: ExecutionFilter) -> Iterator[ColumnElement[bool]]:
    if wanted.workflow_id is not None:
        yield executions.c.workflow_id == wanted.workflow_id
    if wanted.status is not None:
        yield is_in(wanted.status)
    if wanted.status in UNWELCOME_STATES:
        yield IS_UNWELCOME
    if wanted.trigger is not None:
        yield executions.c.trigger == wanted.trigger
    if wanted.since is not None:
        yield executions.c.created_at >= to_ms(wanted.since)
    if wanted.until is not None:
        yield executions.c.created_at < to_ms(wanted.until)


def _found(
    tenant_id: str, q: str, conditions: list[ColumnElement[bool]], limit: int
) -> ColumnElement[bool]:
    """Look in four places, each by its own index, and keep the newest of each."""
    named = select(workflows.c.id).where(
        workflows.c.tenant_id == tenant_id,
        func.instr(workflows.c.name_folded, q.casefold()) > 0,
    )
    places = (
        and_(executions.c.id >= q, executions.c.id < q + LAST),
        executions.c.workflow_id.in_(named),
        executions.c.key == q,
        and_(executions.c.error_code == q, IS_UNWELCOME),
    )
    ids = [
        select(_newest(select(executions.c.id), [*conditions, place], limit).subquery())
        for place in places
    ]
    return executions.c.id.in_(union_all(*ids))
