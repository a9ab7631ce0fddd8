"""Tokens that authorization servers granted, and the questions that lead to them."""

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
)

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

CLUSTERED: dict[str, Any] = {"sqlite_strict": True, "sqlite_with_rowid": False}


def upgrade() -> None:
    """Create both tables."""
    op.create_table(
        "grants",
        _text("tenant_id", key=True),
        _text("credential_id", key=True),
        _number("generation"),
        _bytes("sealed"),
        _number("claimed_until", null=True),
        _of_credential(),
        **CLUSTERED,
    )
    op.create_table(
        "consents",
        _text("tenant_id", key=True),
        _bytes("state_hash", key=True),
        _text("credential_id"),
        _text("user_id"),
        _bytes("verifier"),
        _number("credential_at"),
        _number("expires_at"),
        _of_credential(),
        Index("ux_consents_state", "state_hash", unique=True),
        Index("ix_consents_expires", "expires_at"),
        Index("ix_consents_credential", "tenant_id", "credential_id"),
        **CLUSTERED,
    )


def _text(name: str, *, key: bool = False) -> Column[str]:
    return Column(name, Text, primary_key=key, nullable=False)


def _bytes(name: str, *, key: bool = False) -> Column[bytes]:
    return Column(name, LargeBinary, primary_key=key, nullable=False)


def _number(name: str, *, null: bool = False) -> Column[int]:
    kind = BigInteger().with_variant(Integer, "sqlite")
    return Column(name, kind, nullable=null, autoincrement=False)


def _of_credential() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["tenant_id", "credential_id"], ["credentials.tenant_id", "credentials.id"]
    )
