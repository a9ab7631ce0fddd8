"""Sessions, in SQL."""

from collections.abc import Sequence
from concurrent.futures import Future
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Delete,
    Select,
    and_,
    delete,
    insert,
    select,
    tuple_,
    update,
)
from sqlalchemy.exc import IntegrityError

from app.domain.account import USE
from app.domain.errors import Conflict, NotFound
from app.domain.session import Session, expiry
from app.domain.times import to_ms
from app.store.sql import account_rows as rows
from app.store.sql.account_tables import members, sessions, users
from app.store.sql.database import Reader
from app.store.sql.tasks import Once
from app.store.sql.tenancy import ALL
from app.store.sql.writer import Writes


class SqlSessions:
    """`Sessions` in a table."""

    def __init__(self, reader: Reader, writer: Writes) -> None:
        self._reader = reader
        self._writer = writer

    def add(self, session: Session, *, password_hash: str) -> None:
        proved = (
            select(users.c.id)
            .where(users.c.id == session.user_id)
            .where(users.c.password_hash == password_hash)
            .with_for_update()
        )

        def change(connection: Connection) -> None:
            if connection.execute(proved).first() is None:
                raise Conflict("The password was changed meanwhile; log in again.")
            begin(connection, session)

        self._writer.run(change, of=session.tenant_id)

    def find(self, token_hash: bytes, *, at: datetime) -> Session | None:
        found = self._reader.first(by_token(token_hash, at), of=ALL)
        return None if found is None else rows.session(found)

    def list(
        self, user_id: str, *, at: datetime, limit: int, before: str | None
    ) -> Sequence[Session]:
        query = (
            _with_role()
            .where(sessions.c.user_id == user_id, sessions.c.expires_at > to_ms(at))
            .order_by(sessions.c.id.desc())
            .limit(limit)
        )
        if before is not None:
            query = query.where(sessions.c.id < before)
        return [rows.session(each) for each in self._reader.all(query, of=ALL)]

    def use(self, session: Session, *, at: datetime) -> "Future[None]":
        ends = to_ms(expiry(session.created_at, at))
        mark = (
            update(sessions)
            .where(*_one(session.user_id, session.id))
            .where(sessions.c.used_at <= to_ms(at - USE))
            .values(used_at=to_ms(at), expires_at=ends)
        )

        def change(connection: Connection) -> None:
            connection.execute(mark)

        return self._writer.put(Once(change), "", None, of=session.tenant_id)

    def replace(self, old: Session, new: Session) -> None:
        def change(connection: Connection) -> None:
            _end(connection, old.user_id, old.id, "This session has ended.")
            begin(connection, new)

        self._writer.run(change, of=ALL)

    def end(self, user_id: str, session_id: str) -> None:
        unknown = "There is no session with this id."
        self._writer.run(lambda c: _end(c, user_id, session_id, unknown), of=ALL)

    def end_others(self, user_id: str, *, but: str) -> int:
        others = delete(sessions).where(
            sessions.c.user_id == user_id, sessions.c.id != but
        )
        return self._writer.run(lambda c: c.execute(others).rowcount, of=ALL)

    def sweep(self, at: datetime, *, limit: int) -> int:
        statement = sweep(at, limit=limit)
        return self._writer.run(lambda c: c.execute(statement).rowcount, of=ALL)


def by_token(token_hash: bytes, at: datetime) -> Select[Any]:
    """Find a session that has not expired by its secret."""
    return _with_role().where(
        sessions.c.token_hash == token_hash, sessions.c.expires_at > to_ms(at)
    )


def sweep(at: datetime, *, limit: int) -> Delete:
    """Delete the first sessions that have expired."""
    stale = (
        select(*sessions.primary_key)
        .where(sessions.c.expires_at <= to_ms(at))
        .order_by(sessions.c.expires_at)
        .limit(limit)
    )
    return delete(sessions).where(tuple_(*sessions.primary_key).in_(stale))


def _with_role() -> Select[Any]:
    of_member = and_(
        members.c.tenant_id == sessions.c.tenant_id,
        members.c.user_id == sessions.c.user_id,
    )
    return select(sessions, members.c.role).join(members, of_member)


def _one(user_id: str, session_id: str) -> tuple[ColumnElement[bool], ...]:
    return (sessions.c.user_id == user_id, sessions.c.id == session_id)


def begin(connection: Connection, session: Session) -> None:
    """Insert a session of somebody who still is a member.

    Raises:
        Conflict: not a member of its tenant.
    """
    try:
        connection.execute(insert(sessions).values(rows.session_values(session)))
    except IntegrityError as error:
        raise Conflict("You are not a member of this tenant any more.") from error


def _end(connection: Connection, user_id: str, session_id: str, unknown: str) -> None:
    ended = delete(sessions).where(*_one(user_id, session_id))
    if connection.execute(ended).rowcount == 0:
        raise NotFound(unknown)
