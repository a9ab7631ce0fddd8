"""Tenants and users, in SQL."""

from sqlalchemy import Connection, Update, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from app.domain.account import ApiKey, Member, Role, Tenant, User
from app.domain.errors import Conflict, NotFound, SignupClosed
from app.domain.session import Session
from app.domain.times import to_ms
from app.store import text
from app.store.sql import account_rows as rows
from app.store.sql.account_tables import (
    api_keys,
    founding,
    members,
    sessions,
    tenants,
    users,
)
from app.store.sql.database import Reader
from app.store.sql.sessions import begin
from app.store.sql.tenancy import ALL, NOBODY
from app.store.sql.upserts import insert_or_skip
from app.store.sql.writer import Writes


class SqlAccounts:
    """`Accounts` in tables; a singleton row and an index decide the races."""

    def __init__(self, reader: Reader, writer: Writes) -> None:
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

        self._writer.run(change, of=tenant.id)

    def tenant(self, tenant_id: str) -> Tenant:
        found = self._reader.first(
            select(tenants).where(tenants.c.id == tenant_id), of=tenant_id
        )
        if found is None:
            raise NotFound("There is no tenant with this id.")
        return rows.tenant(found)

    def user(self, user_id: str) -> User:
        found = self._reader.first(
            select(users).where(users.c.id == user_id), of=NOBODY
        )
        if found is None:
            raise NotFound("There is no user with this id.")
        return rows.user(found)

    def by_email(self, email: str) -> User | None:
        found = self._reader.first(
            select(users).where(users.c.email_folded == email.lower()), of=NOBODY
        )
        return None if found is None else rows.user(found)

    def rehash(self, user_id: str, password_hash: str, *, was: str) -> None:
        better = _set_password(user_id, password_hash, was)

        def change(connection: Connection) -> None:
            connection.execute(better)

        self._writer.run(change, of=NOBODY)

    def change_password(
        self,
        user_id: str,
        password_hash: str,
        *,
        was: str | None = None,
        session: Session | None = None,
    ) -> None:
        statement = _set_password(user_id, password_hash, was)

        def change(connection: Connection) -> None:
            if connection.execute(statement).rowcount == 0:
                known = select(users.c.id).where(users.c.id == user_id)
                if connection.execute(known).first() is None:
                    raise NotFound("There is no user with this id.")
                raise Conflict("The password was changed meanwhile; log in again.")
            all_of_them = delete(sessions).where(sessions.c.user_id == user_id)
            connection.execute(all_of_them)
            if session is not None:
                begin(connection, session)

        self._writer.run(change, of=ALL)


def _set_password(user_id: str, password_hash: str, was: str | None) -> Update:
    statement = update(users).where(users.c.id == user_id)
    if was is not None:
        statement = statement.where(users.c.password_hash == was)
    return statement.values(password_hash=password_hash)


def _add_tenant(connection: Connection, tenant: Tenant) -> None:
    connection.execute(
        insert(tenants).values(
            id=tenant.id, name=tenant.name, created_at=to_ms(tenant.created_at)
        )
    )


def _add_owner(connection: Connection, tenant: Tenant, owner: User) -> None:
    try:
        connection.execute(insert(users).values(rows.user_values(owner)))
    except IntegrityError as error:
        raise Conflict("this address is taken; log in instead") from error
    member = Member(
        tenant_id=tenant.id,
        user_id=owner.id,
        email=owner.email,
        role=Role.OWNER,
        joined_at=tenant.created_at,
    )
    connection.execute(insert(members).values(rows.member_values(member)))
