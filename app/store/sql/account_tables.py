"""The tables of people: tenants, members, their keys, sessions and invitations."""

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, Table

from app.store.sql.columns import CLUSTERED, STRICT, binary, metadata, number, text


def _of_member(user_id: str = "user_id") -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["tenant_id", user_id], ["members.tenant_id", "members.user_id"]
    )


# One row at most: who inserts it has made the first registration.
founding = Table(
    "founding",
    metadata,
    number("id", key=True),
    text("tenant_id"),
    CheckConstraint("id = 1", name="ck_founding_single"),
    **STRICT,
)

tenants = Table(
    "tenants",
    metadata,
    text("id", key=True),
    text("name"),
    number("created_at"),
    **CLUSTERED,
)

users = Table(
    "users",
    metadata,
    text("id", key=True),
    text("email"),
    text("email_folded"),
    text("password_hash"),
    number("created_at"),
    Index("ux_users_email", "email_folded", unique=True),
    **CLUSTERED,
)

members = Table(
    "members",
    metadata,
    text("tenant_id", key=True),
    text("user_id", key=True),
    text("role"),
    number("joined_at", null=True),  # null: with the first release, at registration
    ForeignKeyConstraint(["tenant_id"], ["tenants.id"]),
    ForeignKeyConstraint(["user_id"], ["users.id"]),
    Index("ix_members_user", "user_id"),
    **CLUSTERED,
)

api_keys = Table(
    "api_keys",
    metadata,
    text("tenant_id", key=True),
    text("id", key=True),
    text("user_id"),
    text("name"),
    text("prefix"),
    binary("secret_hash"),
    text("scopes"),
    number("created_at"),
    number("expires_at", null=True),
    number("revoked_at", null=True),
    number("used_at", null=True),
    _of_member(),
    Index("ux_api_keys_prefix", "prefix", unique=True),
    **CLUSTERED,
)

sessions = Table(
    "sessions",
    metadata,
    text("user_id", key=True),
    text("id", key=True),
    binary("token_hash"),
    text("tenant_id"),
    number("created_at"),
    number("used_at"),
    number("expires_at"),
    text("address"),
    text("agent"),
    _of_member(),
    Index("ux_sessions_token", "token_hash", unique=True),
    Index("ix_sessions_member", "tenant_id", "user_id"),
    Index("ix_sessions_expires", "expires_at"),
    **CLUSTERED,
)

invitations = Table(
    "invitations",
    metadata,
    text("tenant_id", key=True),
    text("id", key=True),
    text("email"),
    text("role"),
    binary("token_hash"),
    text("inviter_id"),
    number("created_at"),
    number("expires_at"),
    _of_member("inviter_id"),
    Index("ux_invitations_token", "token_hash", unique=True),
    Index("ix_invitations_expires", "expires_at"),
    **CLUSTERED,
)

# Without names: a key is the hash of what is limited.
tries = Table(
    "tries",
    metadata,
    binary("key", key=True),
    number("count"),
    number("ready_at"),
    number("expires_at"),
    Index("ix_tries_expires", "expires_at"),
    **CLUSTERED,
)
