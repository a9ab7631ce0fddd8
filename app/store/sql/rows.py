"""Between rows and accounts, keys and workflows."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row

from app.domain import jsons
from app.domain.account import ApiKey, Scope, Tenant, User
from app.domain.times import from_ms, to_ms
from app.domain.workflow import Published, Token, Version, Workflow
from app.store import envelope

Values = dict[str, Any]
AnyRow = Row[Any]


def millis(at: datetime | None) -> int | None:
    """Write an instant that may be missing."""
    return None if at is None else to_ms(at)


def instant(at: int | None) -> datetime | None:
    """Undo `millis`."""
    return None if at is None else from_ms(at)


def tenant(row: AnyRow) -> Tenant:
    """Read a tenant."""
    return Tenant(id=row.id, name=row.name, created_at=from_ms(row.created_at))


def user(row: AnyRow) -> User:
    """Read a user."""
    return User(
        id=row.id,
        email=row.email,
        password_hash=row.password_hash,
        created_at=from_ms(row.created_at),
    )


def api_key_values(key: ApiKey) -> Values:
    """Write a key."""
    return {
        "tenant_id": key.tenant_id,
        "id": key.id,
        "user_id": key.user_id,
        "name": key.name,
        "prefix": key.prefix,
        "secret_hash": key.secret_hash,
        "scopes": " ".join(sorted(key.scopes)),
        "created_at": to_ms(key.created_at),
        "expires_at": millis(key.expires_at),
        "revoked_at": millis(key.revoked_at),
    }


def api_key(row: AnyRow) -> ApiKey:
    """Read a key."""
    return ApiKey(
        tenant_id=row.tenant_id,
        id=row.id,
        user_id=row.user_id,
        name=row.name,
        prefix=row.prefix,
        secret_hash=row.secret_hash,
        scopes=frozenset(Scope(each) for each in row.scopes.split()),
        created_at=from_ms(row.created_at),
        expires_at=instant(row.expires_at),
        revoked_at=instant(row.revoked_at),
    )


def workflow_values(workflow: Workflow) -> Values:
    """Write a workflow."""
    return {
        "tenant_id": workflow.tenant_id,
        "id": workflow.id,
        "name": workflow.name,
        "name_folded": workflow.name.casefold(),
        "version": workflow.version,
        "is_active": int(workflow.is_active),
        "token": "",
        **token_values(workflow.token),
        "created_at": to_ms(workflow.created_at),
        "updated_at": to_ms(workflow.updated_at),
    }


def token_values(token: Token) -> Values:
    """Write a token: no part of it can be read without the vault."""
    return {"token_hash": token.hash, "token_sealed": token.sealed}


def workflow(row: AnyRow) -> Workflow:
    """Read a workflow."""
    return Workflow(
        tenant_id=row.tenant_id,
        id=row.id,
        name=row.name,
        version=row.version,
        is_active=bool(row.is_active),
        token=Token(row.token_hash, row.token_sealed or b""),
        created_at=from_ms(row.created_at),
        updated_at=from_ms(row.updated_at),
    )


def version_values(version: Version) -> Values:
    """Write a version.

    Raises:
        Invalid: its definition is not JSON.
    """
    return {
        "tenant_id": version.tenant_id,
        "workflow_id": version.workflow_id,
        "number": version.number,
        "definition": envelope.encoded("the definition", version.definition),
        "author_id": version.author_id,
        "created_at": to_ms(version.created_at),
    }


def version(row: AnyRow) -> Version:
    """Read a version."""
    return Version(
        tenant_id=row.tenant_id,
        workflow_id=row.workflow_id,
        number=row.number,
        definition=jsons.parse(row.definition),
        author_id=row.author_id,
        created_at=from_ms(row.created_at),
    )


def published(row: AnyRow) -> Published:
    """Read a workflow joined with its version, whose times are `published_at`."""
    current = Version(
        tenant_id=row.tenant_id,
        workflow_id=row.id,
        number=row.version,
        definition=jsons.parse(row.definition),
        author_id=row.author_id,
        created_at=from_ms(row.published_at),
    )
    return Published(workflow(row), current)
