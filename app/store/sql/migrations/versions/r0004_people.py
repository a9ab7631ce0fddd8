"""Members who come and go, sessions, invitations, and counted tries."""

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

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

CLUSTERED: dict[str, Any] = {"sqlite_strict": True, "sqlite_with_rowid": False}


def upgrade() -> None:
    """Add what is new."""
    op.add_column("members", _number("joined_at", null=True))
    op.create_index("ix_members_user", "members", ["user_id"])
    op.add_column("api_keys", _number("used_at", null=True))
    _create_sessions()
    _create_invitations()
    op.create_table(
        "tries",
        _bytes("key", key=True),
        _number("count"),
        _number("ready_at"),
        _number("expires_at"),
        Index("ix_tries_expires", "expires_at"),
        **CLUSTERED,
    )


def _create_sessions() -> None:
    op.create_table(
        "sessions",
        _text("user_id", key=True),
        _text("id", key=True),
        _bytes("token_hash"),
        _text("tenant_id"),
        _number("created_at"),
        _number("used_at"),
        _number("expires_at"),
        _text("address"),
        _text("agent"),
        _of_member("user_id"),
        Index("ux_sessions_token", "token_hash", unique=True),
        Index("ix_sessions_member", "tenant_id", "user_id"),
        Index("ix_sessions_expires", "expires_at"),
        **CLUSTERED,
    )


def _create_invitations() -> None:
    op.create_table(
        "invitations",
        _text("tenant_id", key=True),
        _text("id", key=True),
        _text("email"),
        _text("role"),
        _bytes("token_hash"),
        _text("inviter_id"),
        _number("created_at"),
        _number("expires_at"),
        _of_member("inviter_id"),
        Index("ux_invitations_token", "token_hash", unique=True),
        Index("ix_invitations_expires", "expires_at"),
        **CLUSTERED,
    )


def _of_member(user_id: str) -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["tenant_id", user_id], ["members.tenant_id", "members.user_id"]
    )


def _text(name: str, *, key: bool = False) -> Column[str]:
    return Column(name, Text, primary_key=key, nullable=False)


def _number(name: str, *, null: bool = False) -> Column[int]:
    kind = BigInteger().with_variant(Integer, "sqlite")
    return Column(name, kind, nullable=null, autoincrement=False)


def _bytes(name: str, *, key: bool = False) -> Column[bytes]:
    return Column(name, LargeBinary, primary_key=key, nullable=False)
