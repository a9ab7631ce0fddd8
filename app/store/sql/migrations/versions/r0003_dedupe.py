"""Keys by which a delivery that comes again is known."""

from typing import Any

from alembic import op
from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Text

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

CLUSTERED: dict[str, Any] = {"sqlite_strict": True, "sqlite_with_rowid": False}


def upgrade() -> None:
    """Create the table of keys."""
    op.create_table(
        "dedupe",
        _text("tenant_id", key=True),
        _text("workflow_id", key=True),
        Column("key", LargeBinary, primary_key=True, nullable=False),
        _text("execution_id"),
        Column(
            "expires_at",
            BigInteger().with_variant(Integer, "sqlite"),
            nullable=False,
            autoincrement=False,
        ),
        Index("ix_dedupe_expires", "expires_at"),
        **CLUSTERED,
    )


def _text(name: str, *, key: bool = False) -> Column[str]:
    return Column(name, Text, primary_key=key, nullable=False)
