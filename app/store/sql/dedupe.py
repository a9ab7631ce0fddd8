"""Keys of deliveries, in SQL: the primary key alone decides who was first."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Delete, Select, bindparam, delete, select, tuple_

from app.domain.dedupe import LIFE
from app.domain.execution import Execution
from app.domain.times import to_ms
from app.store.sql.prepared import Prepared
from app.store.sql.rows import Values
from app.store.sql.tables import dedupe
from app.store.sql.tenancy import ALL
from app.store.sql.upserts import insert_or_replace
from app.store.sql.writer import Writes

LIFE_MS = LIFE // timedelta(milliseconds=1)
CLAIM = Prepared(
    insert_or_replace(
        dedupe, where=lambda new: dedupe.c.expires_at <= new.expires_at - LIFE_MS
    ),
    [each.name for each in dedupe.columns],
)
HOLDER = select(dedupe.c.execution_id).where(
    dedupe.c.tenant_id == bindparam("tenant_id"),
    dedupe.c.workflow_id == bindparam("workflow_id"),
    dedupe.c.key == bindparam("key"),
)


class SqlDedupe:
    """`Dedupe` in a table."""

    def __init__(self, writer: Writes) -> None:
        self._writer = writer

    def forget(
        self, tenant_id: str, workflow_id: str, key: bytes, *, execution_id: str
    ) -> None:
        statement = forget(tenant_id, workflow_id, key, execution_id)

        def change(connection: Connection) -> None:
            connection.execute(statement)

        self._writer.run(change, of=tenant_id)

    def sweep(self, at: datetime, *, limit: int) -> int:
        statement = sweep(at, limit=limit)
        return self._writer.run(lambda c: c.execute(statement).rowcount, of=ALL)


def values(execution: Execution, key: bytes) -> Values:
    """Write a key that an execution claims at its creation."""
    return {
        "tenant_id": execution.tenant_id,
        "workflow_id": execution.workflow_id,
        "key": key,
        "execution_id": execution.id,
        "expires_at": to_ms(execution.created_at) + LIFE_MS,
    }


def claim(connection: Connection, keys: Sequence[Values]) -> Sequence[str]:
    """Claim keys and return, in order, the executions that hold them afterwards."""
    if not keys:
        return []
    # in one order in every process, or two would wait for each other
    ordered = sorted(keys, key=itemgetter("tenant_id", "workflow_id", "key"))
    if CLAIM.run(connection, ordered) == len(keys):
        return [each["execution_id"] for each in keys]
    return [connection.execute(HOLDER, each).scalar_one() for each in keys]


def forget(tenant_id: str, workflow_id: str, key: bytes, execution_id: str) -> Delete:
    """Delete a key, if it is this execution's."""
    return delete(dedupe).where(
        dedupe.c.tenant_id == tenant_id,
        dedupe.c.workflow_id == workflow_id,
        dedupe.c.key == key,
        dedupe.c.execution_id == execution_id,
    )


def sweep(at: datetime, *, limit: int) -> Delete:
    """Delete the first keys that have expired."""
    primary = tuple_(*dedupe.primary_key)
    return delete(dedupe).where(primary.in_(_expired(at, limit=limit)))


def _expired(at: datetime, *, limit: int) -> Select[Any]:
    return (
        select(*dedupe.primary_key)
        .where(dedupe.c.expires_at <= to_ms(at))
        .order_by(dedupe.c.expires_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
