"""Between rows and workflows."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row

from app.domain import jsons
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
