"""Which keys a process opens secrets with."""

from alembic import op
from sqlalchemy import Column, Text

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a column that older code leaves empty."""
    op.add_column("processes", Column("ring", Text, nullable=True))
