"""Tenants, users and keys, in SQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Row,
    Select,
    and_,
    exists,
    insert,
    not_,
    or_,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from app.domain.account import LAST_KEY, ApiKey, Role, Scope, Tenant, User
from app.domain.errors import Conflict, NotFound, SignupClosed
from app.domain.times import to_ms
from app.store import text
from app.store.sql import rows
from app.store.sql.database import Reader
from app.store.sql.tables import api_keys, founding, members, tenants, users
from app.store.sql.upserts import insert_or_skip
from app.store.sql.writer import Writer


class SqlAccounts:
    """`Accounts` in tables; a singleton row and an index decide the races."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    def register(
        self, tenant: Tenant, owner: User, key: ApiKey, *, only_first: bool
    ) -> None:
        text.check("the tenant's name", tenant.name)
        text.check("the address", owner.email)
        text.check("the key's name", key.name)

        def change(connection: Connection) -> None:
            first = insert_or_skip(founding).values(id=1, tenant_id=tenant.id)
            if connection.execute(first).rowcount == 0 and only_first:
                raise SignupClosed("somebody has registered before")
            _add_tenant(connection, tenant)
            _add_owner(connection, tenant, owner)
            connection.execute(insert(api_keys).values(rows.api_key_values(key)))

        self._writer.run(change)

    def tenant(self, tenant_id: str) -> Tenant:
        found = self._reader.first(select(tenants).where(tenants.c.id == tenant_id))
        if found is None:
            raise NotFound("There is no tenant with this id.")
        return rows.tenant(found)

    def user(self, user_id: str) -> User:
        found = self._reader.first(select(users).where(users.c.id == user_id))
        if found is None:
            raise NotFound("There is no user with this id.")
        return rows.user(found)

    def role(self, tenant_id: str, user_id: str) -> Role:
        query = select(members.c.role).where(
            members.c.tenant_id == tenant_id, members.c.user_id == user_id
        )
        found = self._reader.first(query)
        if found is None:
            raise NotFound("This user is not a member of this tenant.")
        return Role(found.role)


class SqlApiKeys:
    """`ApiKeys` in a table."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    def add(self, key: ApiKey) -> None:
        text.check("the key's name", key.name)

        def change(connection: Connection) -> None:
            try:
                connection.execute(insert(api_keys).values(rows.api_key_values(key)))
            except IntegrityError as error:
                raise Conflict(
                    "a key with this public part exists; make another"
                ) from error

        self._writer.run(change)

    def find(self, prefix: str) -> ApiKey | None:
        found = self._reader.first(key_by_prefix(prefix))
        return None if found is None else rows.api_key(found)

    def list(
        self, tenant_id: str, *, limit: int, before: str | None
    ) -> Sequence[ApiKey]:
        query = (
            select(api_keys)
            .where(api_keys.c.tenant_id == tenant_id, api_keys.c.revoked_at.is_(None))
            .order_by(api_keys.c.id.desc())
            .limit(limit)
        )
        if before is not None:
            query = query.where(api_keys.c.id < before)
        return [rows.api_key(each) for each in self._reader.all(query)]

    def revoke(self, tenant_id: str, key_id: str, *, at: datetime) -> None:
        one = (api_keys.c.tenant_id == tenant_id, api_keys.c.id == key_id)
        end = (
            update(api_keys)
            .where(*one, api_keys.c.revoked_at.is_(None), _spared(tenant_id, key_id))
            .values(revoked_at=to_ms(at))
        )

        def change(connection: Connection) -> None:
            if connection.execute(end).rowcount == 0:
                known = select(api_keys.c.revoked_at).where(*one)
                _explain(connection.execute(known).first())

        self._writer.run(change)


def _spared(tenant_id: str, key_id: str) -> ColumnElement[bool]:
    """Hold for a key without which the tenant still has a lasting `admin` key."""
    other = api_keys.alias()
    others = exists().where(
        other.c.tenant_id == tenant_id, other.c.id != key_id, *_lasting(other)
    )
    return or_(others, not_(and_(*_lasting(api_keys))))


def _lasting(key: FromClause) -> tuple[ColumnElement[bool], ...]:
    return (
        key.c.revoked_at.is_(None),
        key.c.expires_at.is_(None),
        key.c.scopes.contains(Scope.ADMIN.value),
    )


def _explain(found: Row[Any] | None) -> None:
    """Say why a key was not ended, unless it was before."""
    if found is None:
        raise NotFound("There is no API key with this id.")
    if found.revoked_at is None:
        raise Conflict(LAST_KEY)


def key_by_prefix(prefix: str) -> Select[Any]:
    """Find a key by its public part."""
    return select(api_keys).where(api_keys.c.prefix == prefix)


def _add_tenant(connection: Connection, tenant: Tenant) -> None:
    connection.execute(
        insert(tenants).values(
            id=tenant.id, name=tenant.name, created_at=to_ms(tenant.created_at)
        )
    )


def _add_owner(connection: Connection, tenant: Tenant, owner: User) -> None:
    try:
        connection.execute(
            insert(users).values(
                id=owner.id,
                email=owner.email,
                email_folded=owner.email.lower(),
                password_hash=owner.password_hash,
                created_at=to_ms(owner.created_at),
            )
        )
    except IntegrityError as error:
        raise Conflict("this address is taken; log in instead") from error
    connection.execute(
        insert(members).values(tenant_id=tenant.id, user_id=owner.id, role=Role.OWNER)
    )
