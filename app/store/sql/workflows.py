"""Workflows and their versions, in SQL."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    delete,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from app.domain import times
from app.domain.credential import Credential
from app.domain.errors import Conflict, NotFound, TooManyWorkflows
from app.domain.times import to_ms
from app.domain.workflow import (
    Definition,
    Edited,
    Published,
    Token,
    Version,
    Workflow,
)
from app.security import tokens
from app.store import text
from app.store.envelope import encoded
from app.store.sql import credentials as kept_credentials
from app.store.sql import rows
from app.store.sql.account_tables import tenants
from app.store.sql.database import Reader
from app.store.sql.tables import former_tokens, versions, workflows
from app.store.sql.tenancy import ALL
from app.store.sql.writer import Writes

CURRENT = (
    select(
        workflows,
        versions.c.definition,
        versions.c.author_id,
        versions.c.created_at.label("published_at"),
    )
    .join(
        versions,
        and_(
            versions.c.tenant_id == workflows.c.tenant_id,
            versions.c.workflow_id == workflows.c.id,
            versions.c.number == workflows.c.version,
        ),
    )
    .where(workflows.c.deleted_at.is_(None))
)


class SqlWorkflows:
    """`Workflows` in two tables; versions are only ever added."""

    def __init__(self, reader: Reader, writer: Writes) -> None:
        self._reader = reader
        self._writer = writer

    def add(
        self,
        workflow: Workflow,
        version: Version,
        *,
        credentials: Sequence[Credential] = (),
        most: int | None = None,
    ) -> None:
        text.check("the name", workflow.name)
        values = rows.workflow_values(workflow)
        first = rows.version_values(version)
        written = kept_credentials.Written(
            tenant_id=workflow.tenant_id,
            workflow_id=workflow.id,
            definition=version.definition,
            added=credentials,
            is_active=workflow.is_active,
        )

        def change(connection: Connection) -> None:
            if most is not None:
                _require_room(connection, workflow.tenant_id, most)
            with _unique_name():
                connection.execute(insert(workflows).values(values))
            connection.execute(insert(versions).values(first))
            written.write(connection)

        self._writer.run(change, of=workflow.tenant_id)

    def get(self, tenant_id: str, workflow_id: str) -> Published:
        found = self._reader.first(_current(tenant_id, workflow_id), of=tenant_id)
        if found is None:
            raise NotFound("There is no workflow with this id.")
        return rows.published(found)

    def list(
        self, tenant_id: str, *, limit: int, before: str | None
    ) -> Sequence[Workflow]:
        query = (
            select(workflows)
            .where(workflows.c.tenant_id == tenant_id, workflows.c.deleted_at.is_(None))
            .order_by(workflows.c.id.desc())
            .limit(limit)
        )
        if before is not None:
            query = query.where(workflows.c.id < before)
        return [rows.workflow(each) for each in self._reader.all(query, of=tenant_id)]

    def publish(  # noqa: PLR0913
        self,
        tenant_id: str,
        workflow_id: str,
        *,
        definition: Definition,
        name: str | None,
        author_id: str,
        at: datetime,
        credentials: Sequence[Credential] = (),
    ) -> Edited:
        next_number = workflows.c.version + 1
        changes = {"version": next_number, "updated_at": to_ms(at), **_renamed(name)}
        version = {
            "tenant_id": tenant_id,
            "workflow_id": workflow_id,
            "definition": encoded("the definition", definition),
            "author_id": author_id,
            "created_at": to_ms(at),
        }

        def change(connection: Connection) -> Edited:
            before = _locked(connection, tenant_id, workflow_id)
            number = _update(connection, tenant_id, workflow_id, changes)
            connection.execute(insert(versions).values(number=number, **version))
            written = kept_credentials.Written(
                tenant_id=tenant_id,
                workflow_id=workflow_id,
                definition=definition,
                added=credentials,
                is_active=before.is_active,
            )
            written.write(connection)
            return Edited(before, _read(connection, tenant_id, workflow_id))

        return self._writer.run(change, of=tenant_id)

    def change(
        self,
        tenant_id: str,
        workflow_id: str,
        *,
        name: str | None,
        is_active: bool | None,
        at: datetime,
    ) -> Edited:
        changes = {"updated_at": to_ms(at), **_renamed(name)}
        if is_active is not None:
            changes["is_active"] = int(is_active)

        def change(connection: Connection) -> Edited:
            before = _locked(connection, tenant_id, workflow_id)
            _update(connection, tenant_id, workflow_id, changes)
            after = _read(connection, tenant_id, workflow_id)
            if is_active:
                kept_credentials.Written(
                    tenant_id=tenant_id,
                    workflow_id=workflow_id,
                    definition=after.version.definition,
                    is_active=True,
                ).note_uses(connection)
            return Edited(before, after)

        return self._writer.run(change, of=tenant_id)

    def delete(self, tenant_id: str, workflow_id: str, *, at: datetime) -> Workflow:
        changes = {"updated_at": to_ms(at), "deleted_at": to_ms(at)}

        def change(connection: Connection) -> Workflow:
            before = _locked(connection, tenant_id, workflow_id)
            _update(connection, tenant_id, workflow_id, changes)
            kept_credentials.forget_uses(connection, tenant_id, workflow_id)
            return before

        return self._writer.run(change, of=tenant_id)

    def rotate(
        self,
        tenant_id: str,
        workflow_id: str,
        *,
        token: Token,
        until: datetime,
        at: datetime,
    ) -> Published:
        changes = {"updated_at": to_ms(at), **rows.token_values(token)}

        def change(connection: Connection) -> Published:
            _keep_token(connection, tenant_id, workflow_id, until)
            _update(connection, tenant_id, workflow_id, changes)
            return _read(connection, tenant_id, workflow_id)

        return self._writer.run(change, of=tenant_id)

    def version(self, tenant_id: str, workflow_id: str, number: int) -> Version:
        query = _versions(tenant_id, workflow_id).where(versions.c.number == number)
        found = self._reader.first(query, of=tenant_id)
        if found is None:
            raise NotFound(f"This workflow has no version {number}.")
        return rows.version(found)

    def versions(
        self, tenant_id: str, workflow_id: str, *, limit: int, before: int | None
    ) -> Sequence[Version]:
        self.get(tenant_id, workflow_id)  # raises if there is none
        query = (
            _versions(tenant_id, workflow_id)
            .order_by(versions.c.number.desc())
            .limit(limit)
        )
        if before is not None:
            query = query.where(versions.c.number < before)
        return [rows.version(each) for each in self._reader.all(query, of=tenant_id)]

    def by_token(self, token: str) -> Published | None:
        found = self._reader.first(current_by_token(token), of=ALL)
        if found is None:
            found = self._reader.first(current_by_former_token(token), of=ALL)
        return None if found is None else rows.published(found)


def current_by_token(token: str) -> Select[Any]:
    """Find the workflow behind a webhook URL, with its current version."""
    return CURRENT.where(workflows.c.token_hash == tokens.digest(token))


def current_by_former_token(token: str) -> Select[Any]:
    """Find the workflow by a token that was rotated away and still counts."""
    is_of_it = and_(
        former_tokens.c.tenant_id == workflows.c.tenant_id,
        former_tokens.c.workflow_id == workflows.c.id,
    )
    return CURRENT.join(former_tokens, is_of_it).where(
        former_tokens.c.token_hash == tokens.digest(token),
        former_tokens.c.expires_at > to_ms(times.now()),
    )


def _current(tenant_id: str, workflow_id: str) -> Select[Any]:
    return CURRENT.where(
        workflows.c.tenant_id == tenant_id, workflows.c.id == workflow_id
    )


def _versions(tenant_id: str, workflow_id: str) -> Select[Any]:
    return select(versions).where(
        versions.c.tenant_id == tenant_id, versions.c.workflow_id == workflow_id
    )


def _require_room(connection: Connection, tenant_id: str, most: int) -> None:
    """Refuse a further workflow of a tenant that has as many as it may.

    Where several write at a time, those of one tenant wait for each other here.
    """
    turn = (
        select(tenants.c.id)
        .where(tenants.c.id == tenant_id)
        .with_for_update(key_share=True)
    )
    connection.execute(turn)
    alive = (
        select(workflows.c.id)
        .where(workflows.c.tenant_id == tenant_id, workflows.c.deleted_at.is_(None))
        .limit(most)
    )
    count = select(func.count()).select_from(alive.subquery())
    if connection.execute(count).scalar_one() >= most:
        raise TooManyWorkflows(most)


def _read(connection: Connection, tenant_id: str, workflow_id: str) -> Published:
    return rows.published(connection.execute(_current(tenant_id, workflow_id)).one())


def _locked(connection: Connection, tenant_id: str, workflow_id: str) -> Workflow:
    """Read a workflow that nobody else may change until the transaction ends.

    Raises:
        NotFound: there is none, or it is deleted.
    """
    query = select(workflows).where(*_there(tenant_id, workflow_id)).with_for_update()
    found = connection.execute(query).first()
    if found is None:
        raise NotFound("There is no workflow with this id.")
    return rows.workflow(found)


def _there(tenant_id: str, workflow_id: str) -> Sequence[ColumnElement[bool]]:
    return (
        workflows.c.tenant_id == tenant_id,
        workflows.c.id == workflow_id,
        workflows.c.deleted_at.is_(None),
    )


def _renamed(name: str | None) -> dict[str, Any]:
    """Return the changes of a new name, if there is one."""
    if name is None:
        return {}
    text.check("the name", name)
    return {"name": name, "name_folded": name.casefold()}


def _update(
    connection: Connection, tenant_id: str, workflow_id: str, changes: dict[str, Any]
) -> int:
    """Change a workflow and return its version.

    Raises:
        NotFound: there is none, or it is deleted.
        Conflict: its new name is taken.
    """
    statement = (
        update(workflows)
        .where(*_there(tenant_id, workflow_id))
        .values(changes)
        .returning(workflows.c.version)
    )
    with _unique_name():
        changed = connection.execute(statement).first()
    if changed is None:
        raise NotFound("There is no workflow with this id.")
    return int(changed.version)


def _keep_token(
    connection: Connection, tenant_id: str, workflow_id: str, until: datetime
) -> None:
    """Note the present token as a former one, in the place of those that are over."""
    connection.execute(
        delete(former_tokens).where(
            former_tokens.c.tenant_id == tenant_id,
            former_tokens.c.workflow_id == workflow_id,
            former_tokens.c.expires_at <= to_ms(times.now()),
        )
    )
    present = select(
        workflows.c.token_hash,
        workflows.c.tenant_id,
        workflows.c.id,
        literal(to_ms(until)),
    ).where(workflows.c.tenant_id == tenant_id, workflows.c.id == workflow_id)
    columns = ["token_hash", "tenant_id", "workflow_id", "expires_at"]
    connection.execute(insert(former_tokens).from_select(columns, present))


@contextmanager
def _unique_name() -> Iterator[None]:
    try:
        yield
    except IntegrityError as error:
        raise Conflict("a workflow of this name exists; choose another name") from error
