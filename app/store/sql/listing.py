"""The query behind a list of executions."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    TextClause,
    select,
    text,
    union_all,
)

from app.domain import ids
from app.domain.execution import LIVE, Status, Trigger
from app.domain.times import HOUR_MS, to_ms
from app.store.protocol import ExecutionFilter
from app.store.sql.owed import VIEW
from app.store.sql.spelling import Instr
from app.store.sql.tables import SELDOM, UNWELCOME, executions, workflows
from app.store.sql.transitions import is_in

Condition = ColumnElement[bool] | TextClause

LAST = "\U0010ffff"  # sorts after every other character
# in the indexes' own words, or they are not used
IS_UNWELCOME, IS_SELDOM = text(UNWELCOME), text(SELDOM)


def page(
    tenant_id: str, wanted: ExecutionFilter, *, limit: int, before: str | None
) -> Select[Any]:
    """Find the newest executions that a filter shows, with ids below `before`."""
    stretch = _Stretch.of(wanted, before)
    conditions = [_of(tenant_id, wanted.status), *_conditions(wanted)]
    if wanted.q is None:
        return _newest(select(*VIEW), [*conditions, *stretch.conditions()], limit)
    found = _meant(tenant_id, wanted.q, conditions, stretch, limit)
    are_found = [executions.c.tenant_id == tenant_id, executions.c.id.in_(found)]
    return _newest(select(*VIEW), are_found, limit)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Ids from one to another: of several bounds a planner takes any one.

    The end is also there on the first page: without it the planner misjudges the
    indexes.
    """

    end: str  # before
    first: str = ""  # or later

    @classmethod
    def of(cls, wanted: ExecutionFilter, before: str | None) -> Self:
        """Find the ids that a page may have: a time also tells which."""
        end = LAST if before is None else before
        if wanted.until is not None:
            end = min(end, ids.least("exec", to_ms(wanted.until) + HOUR_MS))
        if wanted.since is None or _has_index(wanted):
            return cls(end)
        return cls(end, ids.least("exec", to_ms(wanted.since) - HOUR_MS))

    def of_prefix(self, text: str) -> Self:
        """Limit it to ids that begin so."""
        return replace(
            self, first=max(self.first, text), end=min(self.end, text + LAST)
        )

    def conditions(self) -> Iterator[Condition]:
        """Write it for a query."""
        if self.first:
            yield executions.c.id >= self.first
        yield executions.c.id < self.end


def _has_index(wanted: ExecutionFilter) -> bool:
    """Tell of what a planner would find by its time instead, knowing it from both ends.

    Many executions have a time, and few what else is asked for.
    """
    return (
        wanted.workflow_id is not None
        or wanted.q is not None
        or wanted.trigger not in (None, Trigger.WEBHOOK)
        or wanted.status not in (None, Status.SUCCESS)
    )


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
    if wanted.trigger not in (None, Trigger.WEBHOOK):
        yield IS_SELDOM
    if wanted.since is not None:
        yield executions.c.created_at >= to_ms(wanted.since)
    if wanted.until is not None:
        yield executions.c.created_at < to_ms(wanted.until)


def _meant(
    tenant_id: str,
    q: str,
    conditions: Sequence[Condition],
    stretch: _Stretch,
    limit: int,
) -> CompoundSelect[Any]:
    """Look for each meaning of a text by its own index; the newest of each will do."""
    within = list(stretch.conditions())
    found = [
        _newest(select(executions.c.id), [*conditions, *meaning], limit)
        for meaning in (
            stretch.of_prefix(q).conditions(),
            [*within, executions.c.key == q],
            [*within, executions.c.error_code == q],
        )
    ]
    named = select(workflows.c.id).where(
        workflows.c.tenant_id == tenant_id,
        Instr(workflows.c.name_folded, q.casefold()) > 0,
    )
    found.append(
        select(executions.c.id)
        .where(*conditions, *within, executions.c.workflow_id.in_(named))
        # not in the key's order: the planner would walk it, whatever the names
        .order_by(executions.c.id.concat("").desc())
        .limit(limit)
    )
    return union_all(*(select(each.subquery().c.id) for each in found))
