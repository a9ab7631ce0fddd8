"""The people in tenants, in SQL."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    delete,
    exists,
    func,
    or_,
    select,
    update,
)

from app.domain.account import LAST_OWNER, Member, Role, RoleChange
from app.domain.errors import Conflict, NotFound
from app.store.sql import account_rows as rows
from app.store.sql.account_tables import (
    api_keys,
    invitations,
    members,
    sessions,
    tenants,
    users,
)
from app.store.sql.database import Reader
from app.store.sql.tenancy import ALL
from app.store.sql.writer import Writes

SINCE = func.coalesce(members.c.joined_at, users.c.created_at)


class SqlMembers:
    """`Members` in a table; a condition of each change spares the last owner."""

    def __init__(self, reader: Reader, writer: Writes) -> None:
        self._reader = reader
        self._writer = writer

    def get(self, tenant_id: str, user_id: str) -> Member:
        found = self._reader.first(
            _view().where(*_one(tenant_id, user_id)), of=tenant_id
        )
        if found is None:
            raise NotFound("This user is not a member of this tenant.")
        return rows.member(found)

    def list(
        self, tenant_id: str, *, limit: int, before: str | None
    ) -> Sequence[Member]:
        query = (
            _view()
            .where(members.c.tenant_id == tenant_id)
            .order_by(members.c.user_id.desc())
            .limit(limit)
        )
        if before is not None:
            query = query.where(members.c.user_id < before)
        return [rows.member(each) for each in self._reader.all(query, of=tenant_id)]

    def of(self, user_id: str) -> Sequence[Member]:
        query = (
            _view()
            .where(members.c.user_id == user_id)
            .order_by(SINCE, members.c.tenant_id)
        )
        return [rows.member(each) for each in self._reader.all(query, of=ALL)]

    def change(self, tenant_id: str, user_id: str, role: Role) -> RoleChange:
        statement = update(members).where(*_one(tenant_id, user_id)).values(role=role)
        if role is not Role.OWNER:
            statement = statement.where(_spared(tenant_id, user_id))

        def change(connection: Connection) -> RoleChange:
            lock(connection, tenant_id)
            before = _found(connection, tenant_id, user_id)
            done = connection.execute(statement).rowcount == 1
            if role is not Role.OWNER:
                _withdraw(connection, tenant_id, user_id)
            if not done:
                raise Conflict(LAST_OWNER)
            return RoleChange(before.role, _found(connection, tenant_id, user_id))

        return self._writer.run(change, of=tenant_id)

    def remove(self, tenant_id: str, user_id: str) -> Member:
        spared = select(members.c.user_id).where(
            *_one(tenant_id, user_id), _spared(tenant_id, user_id)
        )

        def change(connection: Connection) -> Member:
            lock(connection, tenant_id)
            found = _found(connection, tenant_id, user_id)
            if connection.execute(spared).first() is None:
                raise Conflict(LAST_OWNER)
            _withdraw(connection, tenant_id, user_id)
            for table in (sessions, api_keys, members):
                mine = (table.c.tenant_id == tenant_id, table.c.user_id == user_id)
                connection.execute(delete(table).where(*mine))
            return found

        return self._writer.run(change, of=tenant_id)


def _view() -> Select[Any]:
    columns = (members, users.c.email, SINCE.label("since"))
    return select(*columns).join(users, users.c.id == members.c.user_id)


def _found(connection: Connection, tenant_id: str, user_id: str) -> Member:
    found = connection.execute(_view().where(*_one(tenant_id, user_id))).first()
    if found is None:
        raise NotFound("This user is not a member of this tenant.")
    return rows.member(found)


def _one(tenant_id: str, user_id: str) -> tuple[ColumnElement[bool], ...]:
    return (members.c.tenant_id == tenant_id, members.c.user_id == user_id)


def _spared(tenant_id: str, user_id: str) -> ColumnElement[bool]:
    """Hold for a member without whom the tenant still has an owner."""
    other = members.alias()
    another = exists().where(
        and_(
            other.c.tenant_id == tenant_id,
            other.c.user_id != user_id,
            other.c.role == Role.OWNER,
        )
    )
    return or_(members.c.role != Role.OWNER, another)


def lock(connection: Connection, tenant_id: str) -> None:
    """Let changes of one tenant's people take turns, where writers do not anyway."""
    tenant = select(tenants.c.id).where(tenants.c.id == tenant_id)
    connection.execute(tenant.with_for_update())


def _withdraw(connection: Connection, tenant_id: str, user_id: str) -> None:
    connection.execute(
        delete(invitations).where(
            invitations.c.tenant_id == tenant_id, invitations.c.inviter_id == user_id
        )
    )
