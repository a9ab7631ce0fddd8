"""The query behind a list of executions."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import CompoundSelect, Select, select, text

from app.domain.execution import LIVE, Status, Trigger
from app.domain.times import to_ms
from app.store.protocol import ExecutionFilter
from app.store.sql.owed import VIEW
from app.store.sql.searching import Condition, Search
from app.store.sql.stretches import Stretch
from app.store.sql.tables import SELDOM, UNWELCOME, executions
from app.store.sql.transitions import is_in

# in the indexes' own words, or they are not used
IS_UNWELCOME, IS_SELDOM = text(UNWELCOME), text(SELDOM)


def page(
    tenant_id: str, wanted: ExecutionFilter, *, limit: int, before: str | None
) -> Select[Any]:
    """Find the newest executions that a filter shows, with ids below `before`."""
    stretch = Stretch.of(wanted, before)
    conditions = [_of(tenant_id, wanted.status), *_conditions(wanted)]
    if wanted.q is not None:
        search = Search(tenant_id, wanted.q, conditions, stretch, limit)
        found = executions.c.id.in_(_found(search, wanted))
        return _newest([executions.c.tenant_id == tenant_id, found], limit)
    if wanted.workflow_id is not None or _is_seldom(wanted):
        # a planner that knew the ids from both ends would go by these
        stretch = stretch.from_any()
    return _newest([*conditions, *stretch.conditions()], limit)


def _found(search: Search, wanted: ExecutionFilter) -> CompoundSelect[Any]:
    if wanted.status in LIVE:
        return search.among_few()
    return search.among_seldom() if _is_seldom(wanted) else search.among_all()


def _is_seldom(wanted: ExecutionFilter) -> bool:
    """Tell of what has an index for few executions of all."""
    return wanted.trigger not in (None, Trigger.WEBHOOK) or wanted.status not in (
        None,
        Status.SUCCESS,
    )


def _of(tenant_id: str, status: Status | None) -> Condition:
    """Limit to a tenant; of what lives, by reading all that lives."""
    if status in LIVE:
        # no range of the key: the planner would rather walk the tenant's history
        return executions.c.tenant_id.concat("") == tenant_id
    return executions.c.tenant_id == tenant_id


def _newest(conditions: Sequence[Condition], limit: int) -> Select[Any]:
    found = select(*VIEW).where(*conditions)
    return found.order_by(executions.c.id.desc()).limit(limit)


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
