"""Credentials, in SQL."""

from base64 import b64decode, b64encode
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from app.domain import jsons, references
from app.domain.credential import Credential
from app.domain.errors import Conflict, CredentialMissing, NotFound
from app.domain.times import from_ms, to_ms
from app.domain.workflow import Definition
from app.store import text
from app.store.sql import grants
from app.store.sql.database import Reader
from app.store.sql.rows import AnyRow, Values
from app.store.sql.tables import credential_uses, credentials, workflows
from app.store.sql.writer import Writes


class SqlCredentials:
    """`Credentials` in a table; another notes which workflow names which."""

    def __init__(self, reader: Reader, writer: Writes) -> None:
        self._reader = reader
        self._writer = writer

    def add(self, credential: Credential) -> None:
        text.check("the credential's name", credential.name)
        self._writer.run(
            lambda connection: _insert(connection, [credential]),
            of=credential.tenant_id,
        )

    def get(self, tenant_id: str, credential_id: str) -> Credential:
        found = self._reader.first(_one(tenant_id, credential_id), of=tenant_id)
        if found is None:
            raise NotFound("no such credential")
        return _credential(found)

    def by_name(self, tenant_id: str, name: str) -> Credential:
        found = self._reader.first(by_name(tenant_id, name), of=tenant_id)
        if found is None:
            raise NotFound(f"There is no credential `{name}`.")
        return _credential(found)

    def list(
        self, tenant_id: str, *, limit: int, before: str | None
    ) -> Sequence[Credential]:
        query = _of(tenant_id).limit(limit)
        if before is not None:
            query = query.where(credentials.c.id < before)
        return [_credential(each) for each in self._reader.all(query, of=tenant_id)]

    def owned(self, tenant_id: str, workflow_id: str) -> Sequence[Credential]:
        query = _of(tenant_id).where(credentials.c.workflow_id == workflow_id)
        return [_credential(each) for each in self._reader.all(query, of=tenant_id)]

    def replace(
        self,
        tenant_id: str,
        credential_id: str,
        *,
        name: str,
        sealed: Mapping[str, bytes],
        at: datetime,
    ) -> Credential:
        text.check("the credential's name", name)
        values = {"name": name, "sealed": packed(sealed), "updated_at": to_ms(at)}
        one = _one(tenant_id, credential_id)

        def change(connection: Connection) -> Credential:
            found = _found(connection, one)
            if name != found.name:
                _require_unused(connection, found)
            with _unique_name(name):
                connection.execute(update(credentials).where(_is(found)).values(values))
            grants.forget(connection, tenant_id, credential_id)
            return _found(connection, one)

        return self._writer.run(change, of=tenant_id)

    def delete(self, tenant_id: str, credential_id: str) -> Credential:
        one = _one(tenant_id, credential_id)

        def change(connection: Connection) -> Credential:
            found = _found(connection, one)
            _require_unused(connection, found)
            grants.forget(connection, tenant_id, credential_id)
            connection.execute(delete(credentials).where(_is(found)))
            return found

        return self._writer.run(change, of=tenant_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What a new version of a workflow brings and names."""

    tenant_id: str
    workflow_id: str
    definition: Definition
    added: Sequence[Credential] = ()
    is_active: bool

    def write(self, connection: Connection) -> None:
        """Add the credentials, and note which ones the workflow needs from now on.

        Raises:
            Conflict: a name is taken.
            CredentialMissing: the workflow is active and one does not exist.
        """
        _insert(connection, self.added)
        self.note_uses(connection)

    def note_uses(self, connection: Connection) -> None:
        """Note which credentials the workflow needs from now on.

        Raises:
            CredentialMissing: it is active and one does not exist.
        """
        forget_uses(connection, self.tenant_id, self.workflow_id)
        names = references.names(self.definition)
        there = _existing(connection, self.tenant_id, names)
        if self.is_active and there != names:
            raise CredentialMissing(names - there)
        for name in sorted(there):
            use = {
                "tenant_id": self.tenant_id,
                "workflow_id": self.workflow_id,
                "name": name,
            }
            try:
                connection.execute(insert(credential_uses).values(use))
            except IntegrityError as error:  # it was deleted at this moment
                raise CredentialMissing([name]) from error


def forget_uses(connection: Connection, tenant_id: str, workflow_id: str) -> None:
    """Note that a workflow needs no credential any more."""
    connection.execute(
        delete(credential_uses).where(
            credential_uses.c.tenant_id == tenant_id,
            credential_uses.c.workflow_id == workflow_id,
        )
    )


def by_name(tenant_id: str, name: str) -> Select[Any]:
    """Find a credential by its name."""
    return select(credentials).where(
        credentials.c.tenant_id == tenant_id, credentials.c.name == name
    )


def _one(tenant_id: str, credential_id: str) -> Select[Any]:
    return select(credentials).where(
        credentials.c.tenant_id == tenant_id, credentials.c.id == credential_id
    )


def _of(tenant_id: str) -> Select[Any]:
    newest_first = credentials.c.id.desc()
    mine = credentials.c.tenant_id == tenant_id
    return select(credentials).where(mine).order_by(newest_first)


def _is(credential: Credential) -> Any:
    return and_(
        credentials.c.tenant_id == credential.tenant_id,
        credentials.c.id == credential.id,
    )


def _found(connection: Connection, query: Select[Any]) -> Credential:
    found = connection.execute(query).first()
    if found is None:
        raise NotFound("no such credential")
    return _credential(found)


def _existing(
    connection: Connection, tenant_id: str, names: Collection[str]
) -> frozenset[str]:
    """Tell which of these names credentials have."""
    found = set()
    for name in names:  # few; a list of them all could be too long for a statement
        text.check("a credential's name", name)
        if connection.execute(by_name(tenant_id, name)).first() is not None:
            found.add(name)
    return frozenset(found)


def _insert(connection: Connection, added: Sequence[Credential]) -> None:
    for each in added:
        text.check("the credential's name", each.name)
        with _unique_name(each.name):
            connection.execute(insert(credentials).values(_values(each)))


def _require_unused(connection: Connection, credential: Credential) -> None:
    """Refuse to take away what the current version of a workflow names.

    Raises:
        Conflict: names a workflow.
    """
    is_of_it = and_(
        credential_uses.c.tenant_id == workflows.c.tenant_id,
        credential_uses.c.workflow_id == workflows.c.id,
    )
    users = (
        select(workflows.c.name)
        .join(credential_uses, is_of_it)
        .where(
            credential_uses.c.tenant_id == credential.tenant_id,
            credential_uses.c.name == credential.name,
        )
    )
    user = connection.execute(users).first()
    if user is not None:
        raise Conflict(
            f"the workflow `{user.name}` uses this credential;"
            " change the workflow first"
        )


@contextmanager
def _unique_name(name: str) -> Iterator[None]:
    try:
        yield
    except IntegrityError as error:
        raise Conflict(
            f"a credential named `{name}` exists; choose another name"
        ) from error


def _values(credential: Credential) -> Values:
    return {
        "tenant_id": credential.tenant_id,
        "id": credential.id,
        "name": credential.name,
        "type": credential.type,
        "workflow_id": credential.workflow_id,
        "sealed": packed(credential.sealed),
        "created_at": to_ms(credential.created_at),
        "updated_at": to_ms(credential.updated_at),
    }


def _credential(row: AnyRow) -> Credential:
    return Credential(
        tenant_id=row.tenant_id,
        id=row.id,
        name=row.name,
        type=row.type,
        workflow_id=row.workflow_id,
        sealed=unpacked(row.sealed),
        created_at=from_ms(row.created_at),
        updated_at=from_ms(row.updated_at),
    )


def packed(sealed: Mapping[str, bytes]) -> bytes:
    """Write the fields of a credential into one column; the same ones always alike."""
    return jsons.encode(
        {name: b64encode(each).decode() for name, each in sealed.items()}
    )


def unpacked(column: bytes) -> dict[str, bytes]:
    """Undo `packed`."""
    return {name: b64decode(each) for name, each in jsons.parse(column).items()}
