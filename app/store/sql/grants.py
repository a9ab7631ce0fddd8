"""What people granted, in SQL."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    Update,
    and_,
    delete,
    insert,
    or_,
    select,
    update,
)

from app.domain.errors import NotFound
from app.domain.grant import Consent, Grant
from app.domain.times import from_ms, to_ms
from app.store.sql.database import Reader
from app.store.sql.rows import AnyRow
from app.store.sql.tables import consents, credentials, grants
from app.store.sql.tenancy import ALL
from app.store.sql.writer import Writes


class SqlGrants:
    """`Grants` in two tables; a number in the row decides every race."""

    def __init__(self, reader: Reader, writer: Writes) -> None:
        self._reader, self._writer = reader, writer

    def ask(self, consent: Consent, *, at: datetime) -> None:
        stale = delete(consents).where(
            consents.c.tenant_id == consent.tenant_id,
            consents.c.expires_at <= to_ms(at),
        )
        values = {
            "state_hash": consent.state_hash,
            "tenant_id": consent.tenant_id,
            "credential_id": consent.credential_id,
            "user_id": consent.user_id,
            "verifier": consent.verifier,
            "credential_at": to_ms(consent.credential_at),
            "expires_at": to_ms(consent.expires_at),
        }

        def change(connection: Connection) -> None:
            connection.execute(stale)
            if _changed_at(connection, consent) is None:
                raise NotFound("no such credential")
            connection.execute(insert(consents).values(values))

        self._writer.run(change, of=consent.tenant_id)

    def answer(self, state_hash: bytes, *, at: datetime) -> Consent:
        mine = consents.c.state_hash == state_hash

        def change(connection: Connection) -> AnyRow | None:
            found = connection.execute(select(consents).where(mine)).first()
            taken = connection.execute(delete(consents).where(mine)).rowcount
            return found if taken else None

        found = self._writer.run(change, of=ALL)  # whose it is, it has yet to tell
        if found is None or found.expires_at <= to_ms(at):
            raise NotFound("no such question")
        return _consent(found)

    def grant(self, consent: Consent, sealed: bytes) -> bool:
        def change(connection: Connection) -> bool:
            if _changed_at(connection, consent) != to_ms(consent.credential_at):
                return False
            if not connection.execute(_next(_of(grants, consent), sealed)).rowcount:
                connection.execute(insert(grants).values(_first(consent, sealed)))
            return True

        return self._writer.run(change, of=consent.tenant_id)

    def get(self, tenant_id: str, credential_id: str) -> Grant | None:
        found = self._reader.first(
            select(grants).where(
                grants.c.tenant_id == tenant_id,
                grants.c.credential_id == credential_id,
            ),
            of=tenant_id,
        )
        return None if found is None else _grant(found)

    def claim(self, grant: Grant, *, until: datetime, at: datetime) -> bool:
        free = or_(
            grants.c.claimed_until.is_(None), grants.c.claimed_until <= to_ms(at)
        )
        statement = (
            update(grants)
            .where(_is_newest(grant), free)
            .values(claimed_until=to_ms(until))
        )
        return self._change(statement, grant)

    def release(self, grant: Grant) -> None:
        statement = update(grants).where(_is_newest(grant)).values(claimed_until=None)
        self._change(statement, grant)

    def renew(self, grant: Grant, sealed: bytes) -> bool:
        return self._change(_next(_is_newest(grant), sealed), grant)

    def _change(self, statement: Update, grant: Grant) -> bool:
        def change(connection: Connection) -> bool:
            return connection.execute(statement).rowcount == 1

        return self._writer.run(change, of=grant.tenant_id)


def forget(connection: Connection, tenant_id: str, credential_id: str) -> None:
    """Drop what was asked and granted for a credential."""
    for table in (consents, grants):
        connection.execute(
            delete(table).where(
                table.c.tenant_id == tenant_id,
                table.c.credential_id == credential_id,
            )
        )


def _changed_at(connection: Connection, consent: Consent) -> int | None:
    query = select(credentials.c.updated_at).where(
        credentials.c.tenant_id == consent.tenant_id,
        credentials.c.id == consent.credential_id,
    )
    return connection.execute(query).scalar()


def _of(table: Table, consent: Consent) -> ColumnElement[bool]:
    return and_(
        table.c.tenant_id == consent.tenant_id,
        table.c.credential_id == consent.credential_id,
    )


def _is_newest(grant: Grant) -> ColumnElement[bool]:
    return and_(
        grants.c.tenant_id == grant.tenant_id,
        grants.c.credential_id == grant.credential_id,
        grants.c.generation == grant.generation,
    )


def _next(which: ColumnElement[bool], sealed: bytes) -> Update:
    return (
        update(grants)
        .where(which)
        .values(
            generation=grants.c.generation + 1,
            sealed=sealed,
            claimed_until=None,
        )
    )


def _first(consent: Consent, sealed: bytes) -> dict[str, Any]:
    return {
        "tenant_id": consent.tenant_id,
        "credential_id": consent.credential_id,
        "generation": 1,
        "sealed": sealed,
        "claimed_until": None,
    }


def _consent(row: AnyRow) -> Consent:
    return Consent(
        state_hash=row.state_hash,
        tenant_id=row.tenant_id,
        credential_id=row.credential_id,
        user_id=row.user_id,
        verifier=row.verifier,
        credential_at=from_ms(row.credential_at),
        expires_at=from_ms(row.expires_at),
    )


def _grant(row: AnyRow) -> Grant:
    return Grant(
        tenant_id=row.tenant_id,
        credential_id=row.credential_id,
        generation=row.generation,
        sealed=row.sealed,
    )
