"""The audit log, in SQL."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Select, insert, select

from app.domain import ids, jsons
from app.domain.audit import Change, Deed, Entry, Source
from app.domain.times import from_ms, to_ms
from app.store import envelope
from app.store.protocol import AuditFilter, Note
from app.store.sql.database import Reader
from app.store.sql.rows import AnyRow, Values
from app.store.sql.tables import audit
from app.store.sql.tasks import Kind, Once
from app.store.sql.writer import Writes

T = TypeVar("T")


class SqlAudit:
    """`Audit` in a table that nothing updates."""

    def __init__(self, reader: Reader, writer: Writes) -> None:
        self._reader = reader
        self._writer = writer

    def add(self, entry: Entry) -> "Future[None]":
        values = [_values(entry)]
        insertion = Once(lambda connection: _insert(connection, values))
        return self._writer.put(insertion, "", None, of=entry.tenant_id)

    def list(
        self,
        tenant_id: str,
        wanted: AuditFilter,
        *,
        limit: int,
        before: str | None,
    ) -> Sequence[Entry]:
        query = page(tenant_id, wanted, limit=limit, before=before)
        return [_entry(each) for each in self._reader.all(query, of=tenant_id)]


class Noting:
    """A writer whose changes are committed together with entries about them."""

    def __init__(self, writer: Writes, note: Note) -> None:
        self._writer, self._note = writer, note

    def run(self, change: Callable[[Connection], T], *, of: str) -> T:
        """Make a change, note it, and wait until both are durable."""

        def both(connection: Connection) -> T:
            result = change(connection)
            _insert(connection, [_values(each) for each in self._note(result)])
            return result

        return self._writer.run(both, of=of)

    def put(
        self,
        kind: Kind,  # noqa: ARG002 - the protocol's, as the others
        subject: str,  # noqa: ARG002
        member: Any,  # noqa: ARG002
        *,
        of: str,  # noqa: ARG002
        is_patient: bool = False,  # noqa: ARG002
    ) -> "Future[Any]":
        """Refuse what shares its transaction with changes of others."""
        raise TypeError("what returns a future cannot be noted")


def page(
    tenant_id: str, wanted: AuditFilter, *, limit: int, before: str | None
) -> Select[Any]:
    """Find the newest entries that a filter shows, with ids below `before`."""
    conditions = [audit.c.tenant_id == tenant_id, *_conditions(wanted)]
    if before is not None:
        conditions.append(audit.c.id < before)
    return select(audit).where(*conditions).order_by(audit.c.id.desc()).limit(limit)


def _conditions(wanted: AuditFilter) -> Iterator[ColumnElement[bool]]:
    if wanted.action is not None:
        yield audit.c.action == wanted.action
    if wanted.actor is not None:
        is_user = ids.well_formed(wanted.actor, "user")  # each has an index of its own
        yield (audit.c.user_id if is_user else audit.c.via) == wanted.actor
    if wanted.target is not None:
        yield audit.c.target == wanted.target
    if wanted.since is not None:
        yield audit.c.at >= to_ms(wanted.since)
    if wanted.until is not None:
        yield audit.c.at < to_ms(wanted.until)


def _insert(connection: Connection, entries: Iterable[Values]) -> None:
    if entries := list(entries):
        connection.execute(insert(audit), entries)


def _values(entry: Entry) -> Values:
    changes = {name: [each.old, each.new] for name, each in entry.deed.changes.items()}
    return {
        "tenant_id": entry.tenant_id,
        "id": entry.id,
        "at": to_ms(entry.at),
        "action": entry.deed.action,
        "target": entry.deed.target,
        "changes": envelope.encoded("what changed", changes),
        "user_id": entry.user_id,
        "via": entry.via,
        "address": entry.source.address,
        "request_id": entry.source.request_id,
    }


def _entry(row: AnyRow) -> Entry:
    changes = {name: Change(*pair) for name, pair in jsons.parse(row.changes).items()}
    return Entry(
        tenant_id=row.tenant_id,
        id=row.id,
        at=from_ms(row.at),
        deed=Deed(row.action, row.target, changes),
        user_id=row.user_id,
        via=row.via,
        source=Source(row.address, row.request_id),
    )
