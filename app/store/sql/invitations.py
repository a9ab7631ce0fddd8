"""Invitations, in SQL: deleting one decides who has accepted it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Delete, Select, delete, insert, select, tuple_
from sqlalchemy.exc import IntegrityError

from app.domain.account import Member, User
from app.domain.errors import Conflict, NotFound
from app.domain.invitation import GONE, Invitation
from app.domain.times import to_ms
from app.store import text
from app.store.sql import account_rows as rows
from app.store.sql.account_tables import invitations, members, users
from app.store.sql.database import Reader
from app.store.sql.tenancy import ALL
from app.store.sql.writer import Writes


class SqlInvitations:
    """`Invitations` in a table."""

    def __init__(self, reader: Reader, writer: Writes) -> None:
        self._reader = reader
        self._writer = writer

    def add(self, invitation: Invitation) -> None:
        text.check("the address", invitation.email)
        inside = (
            select(users.c.id)
            .join(members, members.c.user_id == users.c.id)
            .where(members.c.tenant_id == invitation.tenant_id)
            .where(users.c.email_folded == invitation.email.lower())
        )

        def change(connection: Connection) -> None:
            if connection.execute(inside).first() is not None:
                raise Conflict("A member has this address already.")
            values = rows.invitation_values(invitation)
            try:
                connection.execute(insert(invitations).values(values))
            except IntegrityError as error:
                raise Conflict("The inviter is a member no more.") from error

        self._writer.run(change, of=invitation.tenant_id)

    def list(
        self, tenant_id: str, *, at: datetime, limit: int, before: str | None
    ) -> Sequence[Invitation]:
        query = (
            select(invitations)
            .where(invitations.c.tenant_id == tenant_id)
            .where(invitations.c.expires_at > to_ms(at))
            .order_by(invitations.c.id.desc())
            .limit(limit)
        )
        if before is not None:
            query = query.where(invitations.c.id < before)
        return [rows.invitation(each) for each in self._reader.all(query, of=tenant_id)]

    def find(self, token_hash: bytes, *, at: datetime) -> Invitation | None:
        found = self._reader.first(by_token(token_hash, at), of=ALL)
        return None if found is None else rows.invitation(found)

    def accept(self, token_hash: bytes, user: User, *, at: datetime) -> Member:
        text.check("the address", user.email)

        def change(connection: Connection) -> Member:
            found = connection.execute(by_token(token_hash, at)).first()
            used = delete(invitations).where(invitations.c.token_hash == token_hash)
            if found is None or connection.execute(used).rowcount == 0:
                raise NotFound(GONE)
            _know(connection, user)
            return _let_in(connection, rows.invitation(found), user, at)

        return self._writer.run(change, of=ALL)

    def delete(self, tenant_id: str, invitation_id: str) -> Invitation:
        one = (
            invitations.c.tenant_id == tenant_id,
            invitations.c.id == invitation_id,
        )

        def change(connection: Connection) -> Invitation:
            found = connection.execute(select(invitations).where(*one)).first()
            gone = connection.execute(delete(invitations).where(*one)).rowcount
            if found is None or gone == 0:
                raise NotFound("There is no invitation with this id.")
            return rows.invitation(found)

        return self._writer.run(change, of=tenant_id)

    def sweep(self, at: datetime, *, limit: int) -> int:
        statement = sweep(at, limit=limit)
        return self._writer.run(lambda c: c.execute(statement).rowcount, of=ALL)


def by_token(token_hash: bytes, at: datetime) -> Select[Any]:
    """Find an invitation that can still be accepted by its secret."""
    return select(invitations).where(
        invitations.c.token_hash == token_hash, invitations.c.expires_at > to_ms(at)
    )


def sweep(at: datetime, *, limit: int) -> Delete:
    """Delete the first invitations that have expired."""
    stale = (
        select(*invitations.primary_key)
        .where(invitations.c.expires_at <= to_ms(at))
        .order_by(invitations.c.expires_at)
        .limit(limit)
    )
    return delete(invitations).where(tuple_(*invitations.primary_key).in_(stale))


def _know(connection: Connection, user: User) -> None:
    """Remember a user, unless it is known."""
    known = select(users.c.id).where(users.c.id == user.id)
    if connection.execute(known).first() is not None:
        return
    try:
        connection.execute(insert(users).values(rows.user_values(user)))
    except IntegrityError as error:
        raise Conflict("This address is taken; log in instead.") from error


def _let_in(
    connection: Connection, invitation: Invitation, user: User, at: datetime
) -> Member:
    joined = Member(
        tenant_id=invitation.tenant_id,
        user_id=user.id,
        email=user.email,
        role=invitation.role,
        joined_at=at,
    )
    try:
        connection.execute(insert(members).values(rows.member_values(joined)))
    except IntegrityError as error:
        raise Conflict("You are a member of this tenant already.") from error
    return joined
