"""The audit log."""

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

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

CLUSTERED: dict[str, Any] = {"sqlite_strict": True, "sqlite_with_rowid": False}


def upgrade() -> None:
    """Create the table of entries."""
    op.create_table(
        "audit",
        _text("tenant_id", key=True),
        _text("id", key=True),
        Column(
            "at",
            BigInteger().with_variant(Integer, "sqlite"),
            nullable=False,
            autoincrement=False,
        ),
        _text("action"),
        _text("target"),
        Column("changes", LargeBinary, nullable=False),
        _text("user_id", null=True),
        _text("via", null=True),
        _text("address", null=True),
        _text("request_id", null=True),
        ForeignKeyConstraint(["tenant_id"], ["tenants.id"]),
        Index("ix_audit_action", "tenant_id", "action", "id"),
        Index("ix_audit_target", "tenant_id", "target", "id"),
        Index("ix_audit_user", "tenant_id", "user_id", "id"),
        Index("ix_audit_via", "tenant_id", "via", "id"),
        **CLUSTERED,
    )


def _text(name: str, *, key: bool = False, null: bool = False) -> Column[str]:
    return Column(name, Text, primary_key=key, nullable=null)
