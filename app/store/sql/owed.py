"""The statements about work that changes hands, or ends while it waits."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    Update,
    func,
    literal_column,
    select,
    tuple_,
    update,
)

from app.domain.execution import Status, StepStatus
from app.domain.times import to_ms
from app.store.sql.tables import executions, processes, steps
from app.store.sql.transitions import DISOWNED, is_in

KEY = tuple_(executions.c.tenant_id, executions.c.id)
# Written out, for in a RETURNING the columns would lose their table and mean another.
NAME = literal_column(
    "(SELECT w.name FROM workflows AS w"
    " WHERE w.tenant_id = executions.tenant_id AND w.id = executions.workflow_id)",
    Text,
).label("workflow_name")
VIEW = (*executions.columns, NAME)  # what `rows.execution` reads


def claim(owner: str, *, limit: int) -> Update:
    """Give the oldest owed work to an owner; returns the view, in no order."""
    oldest = (
        select(executions.c.tenant_id, executions.c.id)
        .where(is_in(Status.QUEUED), executions.c.owner.is_(None))
        .order_by(executions.c.id)
        .limit(limit)
    )
    return (
        update(executions)
        .where(KEY.in_(_taken(oldest)))
        .values(owner=owner, fence=executions.c.fence + 1)
        .returning(*VIEW)
    )


def wake(at: datetime, *, limit: int) -> Update:
    """Make owed work of what has waited long enough; returns its ids."""
    due = (
        select(executions.c.tenant_id, executions.c.id)
        .where(is_in(Status.WAITING), executions.c.wake_at <= to_ms(at))
        .order_by(executions.c.wake_at, executions.c.id)
        .limit(limit)
    )
    return (
        update(executions)
        .where(KEY.in_(_taken(due)))
        .values(status=Status.QUEUED, wake_at=None, waiting_for=None)
        .returning(executions.c.id)  # SQLite counts no rows behind a WITH
    )


def _taken(keys: Select[Any]) -> Select[Any]:
    """Lock the rows of these keys, without those that somebody else has locked.

    Apart, for a planner that joins them in may look for them twice.
    """
    return select(keys.with_for_update(skip_locked=True).cte("taken"))


def next_wake() -> Select[Any]:
    """Find when the first that waits will wake."""
    return (
        select(executions.c.wake_at)
        .where(is_in(Status.WAITING))
        .order_by(executions.c.wake_at)
        .limit(1)
    )


def count(*, limit: int) -> Select[Any]:
    """Count owed work up to a limit."""
    some = (
        select(executions.c.id)
        .where(is_in(Status.QUEUED), executions.c.owner.is_(None))
        .limit(limit)
        .subquery()
    )
    return select(func.count().label("n")).select_from(some)


def first(owner: str | None) -> Select[Any]:
    """Find when the first in line was created, of an owner's or of owed work."""
    is_theirs = executions.c.owner.is_(None) if owner is None else of(owner)
    return (
        select(executions.c.created_at)
        .where(is_in(Status.QUEUED), is_theirs)
        .order_by(executions.c.id)
        .limit(1)
    )


def of(owner: str) -> ColumnElement[bool]:
    """Limit to what an owner has."""
    return executions.c.owner == owner


def of_nobody() -> ColumnElement[bool]:
    """Limit to what owners have whom nobody remembers."""
    known = select(processes.c.id)
    return executions.c.owner.is_not(None) & executions.c.owner.not_in(known)


def release(whose: ColumnElement[bool]) -> Update:
    """Make owed work of what is queued for somebody."""
    return update(executions).where(is_in(Status.QUEUED), whose).values(DISOWNED)


def interrupt(whose: ColumnElement[bool]) -> Update:
    """Make owed work of what somebody was running."""
    return (
        update(executions)
        .where(is_in(Status.RUNNING), whose)
        .values(status=Status.QUEUED, attempt=executions.c.attempt + 1, **DISOWNED)
    )


def cancel_requested(owner: str) -> Select[Any]:
    """Find what an owner runs and must stop."""
    return (
        select(executions.c.id)
        .where(
            is_in(Status.RUNNING),
            executions.c.owner == owner,
            executions.c.cancel_requested == 1,
        )
        .order_by(executions.c.id)
    )


def one(tenant_id: str, execution_id: str) -> Select[Any]:
    """Find one execution's view."""
    return select(*VIEW).where(
        executions.c.tenant_id == tenant_id, executions.c.id == execution_id
    )


def ask_to_stop(tenant_id: str, execution_id: str) -> Update:
    """Mark an execution that is running."""
    return (
        update(executions)
        .where(
            executions.c.tenant_id == tenant_id,
            executions.c.id == execution_id,
            executions.c.status == Status.RUNNING,
        )
        .values(cancel_requested=1)
    )


def cancel(tenant_id: str, execution_id: str, *, at: datetime) -> Update:
    """End an execution that is neither running nor over."""
    idle = (Status.QUEUED, Status.WAITING, Status.UNKNOWN, Status.QUARANTINED)
    return (
        update(executions)
        .where(
            executions.c.tenant_id == tenant_id,
            executions.c.id == execution_id,
            executions.c.status.in_(idle),
        )
        .values(
            status=Status.CANCELLED,
            finished_at=to_ms(at),
            seat=None,
            wake_at=None,
            waiting_for=None,
        )
    )


def cancel_steps(tenant_id: str, execution_id: str) -> Update:
    """End the steps of an execution that wait."""
    return (
        update(steps)
        .where(
            steps.c.tenant_id == tenant_id,
            steps.c.execution_id == execution_id,
            steps.c.status == StepStatus.WAITING,
        )
        .values(status=StepStatus.CANCELLED)
    )
