"""The trace that an execution belongs to."""

from alembic import op
from sqlalchemy import Column, Text

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; executions from before belong to no trace."""
    op.add_column("executions", Column("trace", Text, nullable=True))
