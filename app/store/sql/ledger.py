"""The books of the door, in SQL."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    TextClause,
    delete,
    func,
    select,
    text,
)

from app.domain.execution import Status
from app.domain.ledger import Account, Balance, Outcome
from app.domain.times import HOUR_MS, hour_of
from app.store.sql.database import Reader
from app.store.sql.prepared import Prepared
from app.store.sql.tables import executions, ledger
from app.store.sql.tasks import Once
from app.store.sql.tenancy import ALL, among
from app.store.sql.upserts import insert_or_add
from app.store.sql.writer import Writes

SHARED = ""  # the process of counters that no process owns
ADD = Prepared(insert_or_add(ledger, "n"), [each.name for each in ledger.columns])
OWNED = text("process <> ''")  # the index's own words


class SqlLedger:
    """`Ledger` in a table of counters, one row for each process."""

    def __init__(self, reader: Reader, writer: Writes) -> None:
        self._reader = reader
        self._writer = writer

    def book(
        self, counts: Mapping[tuple[Account, Outcome], int], *, process: str
    ) -> "Future[None]":
        entries = [
            entry(account, outcome, process, n)
            for (account, outcome), n in counts.items()
        ]
        of = among(account.tenant_id for account, _ in counts)
        return self._writer.put(Once(lambda c: add(c, entries)), "", None, of=of)

    def fold(self, dead: str) -> None:
        counters = owned(dead)

        def change(connection: Connection) -> None:
            taken = delete(ledger).where(*counters).returning(*ledger.columns)
            left = connection.execute(taken).mappings().all()
            add(connection, [{**each, "process": SHARED} for each in left])

        self._writer.run(change, of=ALL)

    def balance(
        self,
        tenant_id: str,
        *,
        workflow_id: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Balance:
        hours = Hours(since, until)
        return read_balance(self._reader, tenant_id, workflow_id, hours)


class Hours:
    """Whole hours, from one on and up to another."""

    def __init__(self, since: datetime | None, until: datetime | None) -> None:
        self._first = None if since is None else hour_of(since)
        self._end = None if until is None else hour_of(until)

    def include(
        self, column: ColumnElement[int], *, unit: int = 1
    ) -> Sequence[ColumnElement[bool]]:
        """Limit a column that counts in so many units an hour."""
        limits = []
        if self._first is not None:
            limits.append(column >= self._first * unit)
        if self._end is not None:
            limits.append(column < self._end * unit)
        return limits


def read_balance(
    reader: Reader, tenant_id: str, workflow_id: str | None, hours: Hours
) -> Balance:
    """Read both sides of the books at one instant."""
    door_now = door(tenant_id, workflow_id, hours)
    rows_now = states(tenant_id, workflow_id, hours)
    counted, rows = reader.together(door_now, rows_now, of=tenant_id)
    return Balance(
        door={Outcome(each.outcome): int(each.n) for each in counted},
        executions={Status(each.status): each.n for each in rows},
    )


def entry(account: Account, outcome: Outcome, process: str, n: int) -> dict[str, Any]:
    """Write one counter."""
    return {
        "tenant_id": account.tenant_id,
        "workflow_id": account.workflow_id,
        "hour": account.hour,
        "trigger": account.trigger,
        "outcome": outcome,
        "process": process,
        "n": n,
    }


def add(connection: Connection, entries: Sequence[Mapping[str, Any]]) -> None:
    """Add to counters, which begin at zero."""
    if entries:
        ADD.run(connection, entries)


def owned(process: str) -> Sequence[ColumnElement[bool] | TextClause]:
    """Limit to the counters of a process."""
    return (ledger.c.process == process, OWNED)


def door(tenant_id: str, workflow_id: str | None, hours: Hours) -> Select[Any]:
    """Add up what came to the door, by outcome."""
    query = (
        select(ledger.c.outcome, func.sum(ledger.c.n).label("n"))
        .where(ledger.c.tenant_id == tenant_id, *hours.include(ledger.c.hour))
        .group_by(ledger.c.outcome)
    )
    if workflow_id is not None:
        query = query.where(ledger.c.workflow_id == workflow_id)
    return query


def states(tenant_id: str, workflow_id: str | None, hours: Hours) -> Select[Any]:
    """Count executions, by status."""
    created = hours.include(executions.c.created_at, unit=HOUR_MS)
    query = (
        select(executions.c.status, func.count().label("n"))
        .where(executions.c.tenant_id == tenant_id, *created)
        .group_by(executions.c.status)
    )
    if workflow_id is not None:
        query = query.where(executions.c.id.in_(_ids(tenant_id, workflow_id)))
    return query


def _ids(tenant_id: str, workflow_id: str) -> Select[Any]:
    """Find a workflow's executions; apart, or the planner reads all of the tenant's."""
    listed = executions.alias("listed")
    return select(listed.c.id).where(
        listed.c.tenant_id == tenant_id,
        listed.c.workflow_id == workflow_id,
        listed.c.id > "",
    )
