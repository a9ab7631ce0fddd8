"""The query behind a list of executions."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    TextClause,
    and_,
    select,
    text,
    union_all,
)

from app.domain.execution import LIVE, Status
from app.domain.times import to_ms
from app.store.protocol import ExecutionFilter
from app.store.sql.owed import VIEW
from app.store.sql.spelling import Instr
from app.store.sql.tables import UNWELCOME, executions, workflows
from app.store.sql.transitions import is_in

Condition = ColumnElement[bool] | TextClause

LAST = "\U0010ffff"  # sorts after every other character
IS_UNWELCOME = text(UNWELCOME)  # in the index's own words, or it is not used


def page(
    tenant_id: str, wanted: ExecutionFilter, *, limit: int, before: str | None
) -> Select[Any]:
    """Find the newest executions that a filter shows, with ids below `before`."""
    conditions = [
        _of(tenant_id, wanted.status),
        # also on the first page: without it the planner misjudges the indexes
        executions.c.id < (LAST if before is None else before),
        *_conditions(wanted),
    ]
    if wanted.q is not None:
        ids = _meant(tenant_id, wanted.q, conditions, limit)
        conditions = [executions.c.tenant_id == tenant_id, executions.c.id.in_(ids)]
    return _newest(select(*VIEW), conditions, limit)


def _of(tenant_id: str, status: Status | None) -> Condition:
    """Limit to a tenant; of what lives, by reading all that lives."""
    if status in LIVE:
        # no range of the key: the planner would rather walk the tenant's history
        return executions.c.tenant_id.concat("") == tenant_id
    return executions.c.tenant_id == tenant_id


def _newest(
    query: Select[Any], conditions: Sequence[Condition], limit: int
) -> Select[Any]:
    return query.where(*conditions).order_by(executions.c.id.desc()).limit(limit)


def _conditions(wanted: ExecutionFilter) -> Iterator[Condition]:
    if wanted.workflow_id is not None:
        yield executions.c.workflow_id == wanted.workflow_id
    if wanted.status is not None:
        yield is_in(wanted.status)
    if wanted.status not in (None, Status.SUCCESS, *LIVE):
        yield IS_UNWELCOME
    if wanted.trigger is not None:
        yield executions.c.trigger == wanted.trigger
    if wanted.since is not None:
        yield executions.c.created_at >= to_ms(wanted.since)
    if wanted.until is not None:
        yield executions.c.created_at < to_ms(wanted.until)


def _meant(
    tenant_id: str, q: str, conditions: Sequence[Condition], limit: int
) -> CompoundSelect[Any]:
    """Look for each meaning of a text by its own index; the newest of each will do."""
    ids = [
        _newest(select(executions.c.id), [*conditions, meaning], limit)
        for meaning in (
            and_(executions.c.id >= q, executions.c.id < q + LAST),
            executions.c.key == q,
            executions.c.error_code == q,
        )
    ]
    named = select(workflows.c.id).where(
        workflows.c.tenant_id == tenant_id,
        Instr(workflows.c.name_folded, q.casefold()) > 0,
    )
    ids.append(
        select(executions.c.id)
        .where(*conditions, executions.c.workflow_id.in_(named))
        # not in the key's order: the planner would walk it, whatever the names
        .order_by(executions.c.id.concat("").desc())
        .limit(limit)
    )
    return union_all(*(select(each.subquery().c.id) for each in ids))
