"""Keys of programs, in SQL."""

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace
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

from app.domain.account import LAST_KEY, USE, ApiKey, Role, Scope
from app.domain.errors import Conflict, NotFound
from app.domain.times import to_ms
from app.store import text
from app.store.sql import account_rows as rows
from app.store.sql.account_tables import api_keys, members
from app.store.sql.database import Reader
from app.store.sql.members import lock
from app.store.sql.tasks import Once
from app.store.sql.tenancy import ALL
from app.store.sql.writer import Writes


class SqlApiKeys:
    """`ApiKeys` in a table."""

    def __init__(self, reader: Reader, writer: Writes) -> None:
        self._reader = reader
        self._writer = writer

    def add(self, key: ApiKey) -> None:
        text.check("the key's name", key.name)

        def change(connection: Connection) -> None:
            try:
                connection.execute(insert(api_keys).values(rows.api_key_values(key)))
            except IntegrityError as error:
                raise Conflict(
                    "a key with this public part exists, or the key's user is no"
                    " member any more"
                ) from error

        self._writer.run(change, of=key.tenant_id)

    def find(self, prefix: str) -> ApiKey | None:
        found = self._reader.first(key_by_prefix(prefix), of=ALL)
        return None if found is None else rows.api_key(found)

    def list(
        self,
        tenant_id: str,
        *,
        limit: int,
        before: str | None,
        user_id: str | None = None,
    ) -> Sequence[ApiKey]:
        query = (
            _with_role()
            .where(api_keys.c.tenant_id == tenant_id, api_keys.c.revoked_at.is_(None))
            .order_by(api_keys.c.id.desc())
            .limit(limit)
        )
        if before is not None:
            query = query.where(api_keys.c.id < before)
        if user_id is not None:
            query = query.where(api_keys.c.user_id == user_id)
        return [rows.api_key(each) for each in self._reader.all(query, of=tenant_id)]

    def use(self, key: ApiKey, *, at: datetime) -> "Future[None]":
        known = api_keys.c.used_at
        mark = (
            update(api_keys)
            .where(api_keys.c.tenant_id == key.tenant_id, api_keys.c.id == key.id)
            .where(or_(known.is_(None), known <= to_ms(at - USE)))
            .values(used_at=to_ms(at))
        )

        def change(connection: Connection) -> None:
            connection.execute(mark)

        return self._writer.put(Once(change), "", None, of=key.tenant_id)

    def revoke(
        self, tenant_id: str, key_id: str, *, at: datetime, user_id: str | None = None
    ) -> ApiKey | None:
        one = [api_keys.c.tenant_id == tenant_id, api_keys.c.id == key_id]
        if user_id is not None:
            one.append(api_keys.c.user_id == user_id)
        end = (
            update(api_keys)
            .where(*one, api_keys.c.revoked_at.is_(None), _spared(tenant_id, key_id))
            .values(revoked_at=to_ms(at))
        )

        def change(connection: Connection) -> ApiKey | None:
            lock(connection, tenant_id)
            ended = connection.execute(end).rowcount
            found = connection.execute(_with_role().where(*one)).first()
            if not ended:
                _explain(found)
                return None
            assert found is not None
            return replace(rows.api_key(found), revoked_at=None)

        return self._writer.run(change, of=tenant_id)


def _spared(tenant_id: str, key_id: str) -> ColumnElement[bool]:
    """Hold for a key without which the tenant still has a lasting `admin` key."""
    other = api_keys.alias()
    others = exists().where(
        other.c.tenant_id == tenant_id, other.c.id != key_id, *_lasting(other)
    )
    return or_(others, not_(and_(*_lasting(api_keys))))


def _of_owner(key: FromClause) -> ColumnElement[bool]:
    return exists().where(
        members.c.tenant_id == key.c.tenant_id,
        members.c.user_id == key.c.user_id,
        members.c.role == Role.OWNER,
    )


def _lasting(key: FromClause) -> tuple[ColumnElement[bool], ...]:
    return (
        key.c.revoked_at.is_(None),
        key.c.expires_at.is_(None),
        key.c.scopes.contains(Scope.ADMIN.value),
        _of_owner(key),
    )


def _explain(found: Row[Any] | None) -> None:
    """Say why a key was not ended, unless it was before."""
    if found is None:
        raise NotFound("There is no API key with this id.")
    if found.revoked_at is None:
        raise Conflict(LAST_KEY)


def key_by_prefix(prefix: str) -> Select[Any]:
    """Find a key by its public part."""
    return _with_role().where(api_keys.c.prefix == prefix)


def _with_role() -> Select[Any]:
    of_member = and_(
        members.c.tenant_id == api_keys.c.tenant_id,
        members.c.user_id == api_keys.c.user_id,
    )
    return select(api_keys, members.c.role).join(members, of_member)
