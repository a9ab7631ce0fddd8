"""Leases of processes, what workers can take, and who sits where."""

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, Text, text

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add columns that older code leaves empty."""
    op.add_column("processes", Column("kind", Text, nullable=True))
    for name in ("workers", "queue", "lease_until"):
        op.add_column("processes", Column(name, _number(), nullable=True))
    op.add_column("executions", Column("seat", Text, nullable=True))
    op.create_index(
        "ix_executions_seated",
        "executions",
        ["status", "id"],
        sqlite_where=text("seat IS NOT NULL"),
        postgresql_where=text("seat IS NOT NULL"),
    )


def _number() -> BigInteger:
    return BigInteger().with_variant(Integer, "sqlite")
