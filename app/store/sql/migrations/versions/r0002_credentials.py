"""Credentials, and webhook tokens that are sealed and can be rotated."""

from typing import Any

from alembic import op
from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Text,
    text,
)

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

CLUSTERED: dict[str, Any] = {"sqlite_strict": True, "sqlite_with_rowid": False}


def upgrade() -> None:
    """Add what is new; tokens in plain are sealed at the start, which has the keys."""
    op.add_column("workflows", _bytes("token_sealed", null=True))
    op.create_table(
        "former_tokens",
        _text("tenant_id", key=True),
        _text("workflow_id", key=True),
        _bytes("token_hash", key=True),
        _number("expires_at"),
        _of_workflow(),
        Index("ux_former_tokens_hash", "token_hash", unique=True),
        **CLUSTERED,
    )
    op.create_table(
        "credentials",
        _text("tenant_id", key=True),
        _text("id", key=True),
        _text("name"),
        _text("type"),
        _text("workflow_id", null=True),
        _bytes("sealed"),
        _number("created_at"),
        _number("updated_at"),
        ForeignKeyConstraint(["tenant_id"], ["tenants.id"]),
        _of_workflow(),
        Index("ux_credentials_name", "tenant_id", "name", unique=True),
        Index(
            "ix_credentials_workflow",
            "tenant_id",
            "workflow_id",
            sqlite_where=text("workflow_id IS NOT NULL"),
            postgresql_where=text("workflow_id IS NOT NULL"),
        ),
        **CLUSTERED,
    )
    op.create_table(
        "credential_uses",
        _text("tenant_id", key=True),
        _text("name", key=True),
        _text("workflow_id", key=True),
        ForeignKeyConstraint(
            ["tenant_id", "name"], ["credentials.tenant_id", "credentials.name"]
        ),
        _of_workflow(),
        Index("ix_credential_uses_workflow", "tenant_id", "workflow_id"),
        **CLUSTERED,
    )


def _of_workflow() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["tenant_id", "workflow_id"], ["workflows.tenant_id", "workflows.id"]
    )


def _text(name: str, *, key: bool = False, null: bool = False) -> Column[str]:
    return Column(name, Text, primary_key=key, nullable=null)


def _number(name: str) -> Column[int]:
    kind = BigInteger().with_variant(Integer, "sqlite")
    return Column(name, kind, nullable=False, autoincrement=False)


def _bytes(name: str, *, key: bool = False, null: bool = False) -> Column[bytes]:
    return Column(name, LargeBinary, primary_key=key, nullable=null)
