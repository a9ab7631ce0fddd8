"""What is sealed, in SQL."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, Table, Update, select, tuple_, update

from app.domain.sealing import Kind, Sealed
from app.store.sql.credentials import packed, unpacked
from app.store.sql.database import Reader
from app.store.sql.tables import consents, credentials, grants, workflows
from app.store.sql.tenancy import ALL
from app.store.sql.writer import Writes

Fields = Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class _Where:
    """Where a kind of row keeps what is sealed."""

    table: Table
    key: Column[Any]  # beside the tenant
    place: Column[str]  # the id that it is bound to
    sealed: Column[bytes]
    read: Callable[[bytes], Fields]
    write: Callable[[Fields], bytes]


def _one(table: Table, key: str, place: str, column: str, field: str) -> _Where:
    """A column that holds one sealed field."""
    return _Where(
        table,
        table.c[key],
        table.c[place],
        table.c[column],
        lambda sealed: {field: sealed},
        lambda fields: fields[field],
    )


WHERE: Mapping[Kind, _Where] = {
    Kind.CREDENTIALS: _Where(
        credentials,
        credentials.c.id,
        credentials.c.id,
        credentials.c.sealed,
        unpacked,
        packed,
    ),
    Kind.WEBHOOKS: _one(workflows, "id", "id", "token_sealed", "token"),
    Kind.GRANTS: _one(grants, "credential_id", "credential_id", "sealed", "grant"),
    Kind.CONSENTS: _one(
        consents, "state_hash", "credential_id", "verifier", "verifier"
    ),
}


class SqlSealings:
    """`Sealings` over the tables of the other collections."""

    def __init__(self, reader: Reader, writer: Writes) -> None:
        self._reader, self._writer = reader, writer

    def page(
        self, kind: Kind, *, limit: int, after: Sealed | None = None
    ) -> Sequence[Sealed]:
        at = WHERE[kind]
        tenant_id = at.table.c.tenant_id
        query = (
            select(
                tenant_id,
                at.key.label("key"),
                at.place.label("place"),
                at.sealed.label("sealed"),
            )
            .where(at.sealed.is_not(None))
            .order_by(tenant_id, at.key)
            .limit(limit)
        )
        if after is not None:
            query = query.where(
                tuple_(tenant_id, at.key) > tuple_(after.tenant_id, after.key)
            )
        return [
            Sealed(
                kind=kind,
                tenant_id=row.tenant_id,
                key=row.key,
                place=row.place,
                fields=at.read(row.sealed),
            )
            for row in self._reader.all(query, of=ALL)
        ]

    def exchange(self, pairs: Sequence[tuple[Sealed, Sealed]]) -> int:
        statements = [_exchange(old, new) for old, new in pairs]

        def change(connection: Connection) -> int:
            return sum(connection.execute(each).rowcount for each in statements)

        return self._writer.run(change, of=ALL)


def _exchange(old: Sealed, new: Sealed) -> Update:
    at = WHERE[old.kind]
    return (
        update(at.table)
        .where(
            at.table.c.tenant_id == old.tenant_id,
            at.key == old.key,
            at.sealed == at.write(old.fields),
        )
        .values({at.sealed: at.write(new.fields)})
    )
