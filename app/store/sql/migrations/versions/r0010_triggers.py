"""An index of what no webhook started."""

from alembic import op
from sqlalchemy import text

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

SELDOM = text("trigger <> 'webhook'")


def upgrade() -> None:
    """Add it; webhooks, which are many, are not in it."""
    op.create_index(
        "ix_executions_trigger",
        "executions",
        ["tenant_id", "trigger", "id"],
        sqlite_where=SELDOM,
        postgresql_where=SELDOM,
    )
