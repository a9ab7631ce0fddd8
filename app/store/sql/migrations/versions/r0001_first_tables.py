"""The first tables."""

from typing import Any

from alembic import op
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Text,
    text,
)

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

STRICT: dict[str, Any] = {"sqlite_strict": True}
CLUSTERED: dict[str, Any] = {"sqlite_strict": True, "sqlite_with_rowid": False}
TEXT = Text().with_variant(Text(collation="C"), "postgresql")
UNWELCOME = "status IN ('cancelled', 'failed', 'quarantined', 'unknown')"


def upgrade() -> None:
    """Create everything."""
    _create_accounts()
    _create_workflows()
    _create_executions()
    _create_journal()
    _create_books()


def _create_accounts() -> None:
    op.create_table(
        "founding",
        _number("id", key=True),
        _text("tenant_id"),
        CheckConstraint("id = 1", name="ck_founding_single"),
        **STRICT,
    )
    op.create_table(
        "tenants",
        _text("id", key=True),
        _text("name"),
        _number("created_at"),
        **CLUSTERED,
    )
    op.create_table(
        "users",
        _text("id", key=True),
        _text("email"),
        _text("email_folded"),
        _text("password_hash"),
        _number("created_at"),
        Index("ux_users_email", "email_folded", unique=True),
        **CLUSTERED,
    )
    op.create_table(
        "members",
        _text("tenant_id", key=True),
        _text("user_id", key=True),
        _text("role"),
        ForeignKeyConstraint(["tenant_id"], ["tenants.id"]),
        ForeignKeyConstraint(["user_id"], ["users.id"]),
        **CLUSTERED,
    )
    op.create_table(
        "api_keys",
        _text("tenant_id", key=True),
        _text("id", key=True),
        _text("user_id"),
        _text("name"),
        _text("prefix"),
        _bytes("secret_hash"),
        _text("scopes"),
        _number("created_at"),
        _number("expires_at", null=True),
        _number("revoked_at", null=True),
        ForeignKeyConstraint(
            ["tenant_id", "user_id"], ["members.tenant_id", "members.user_id"]
        ),
        Index("ux_api_keys_prefix", "prefix", unique=True),
        **CLUSTERED,
    )


def _create_workflows() -> None:
    op.create_table(
        "workflows",
        _text("tenant_id", key=True),
        _text("id", key=True),
        _text("name"),
        _text("name_folded"),
        _number("version"),
        _number("is_active"),
        _text("token"),
        _bytes("token_hash"),
        _number("created_at"),
        _number("updated_at"),
        _number("deleted_at", null=True),
        ForeignKeyConstraint(["tenant_id"], ["tenants.id"]),
        Index("ux_workflows_token", "token_hash", unique=True),
        Index(
            "ux_workflows_name",
            "tenant_id",
            "name",
            unique=True,
            **_where("deleted_at IS NULL"),
        ),
        **CLUSTERED,
    )
    op.create_table(
        "versions",
        _text("tenant_id", key=True),
        _text("workflow_id", key=True),
        _number("number", key=True),
        _bytes("definition"),
        _text("author_id"),
        _number("created_at"),
        ForeignKeyConstraint(
            ["tenant_id", "workflow_id"], ["workflows.tenant_id", "workflows.id"]
        ),
        **STRICT,
    )


def _create_executions() -> None:
    op.create_table(
        "executions",
        _text("tenant_id", key=True),
        _text("id", key=True),
        _text("workflow_id"),
        _number("version"),
        _text("status"),
        _text("trigger"),
        _text("user_id"),
        _number("created_at"),
        _number("started_at", null=True),
        _number("finished_at", null=True),
        _number("attempt"),
        _text("owner", null=True),
        _number("fence"),
        _text("error_code", null=True),
        _text("error_message", null=True),
        _text("error_step", null=True),
        _bytes("segments"),
        _number("wake_at", null=True),
        _text("waiting_for", null=True),
        _number("cancel_requested"),
        _text("replay_of", null=True),
        _text("key", null=True),
        ForeignKeyConstraint(
            ["tenant_id", "workflow_id", "version"],
            ["versions.tenant_id", "versions.workflow_id", "versions.number"],
        ),
        Index("ix_executions_workflow", "tenant_id", "workflow_id", "id"),
        Index(
            "ix_executions_unwelcome", "tenant_id", "status", "id", **_where(UNWELCOME)
        ),
        Index(
            "ix_executions_error",
            "tenant_id",
            "error_code",
            "id",
            **_where("error_code IS NOT NULL"),
        ),
        Index(
            "ix_executions_key", "tenant_id", "key", "id", **_where("key IS NOT NULL")
        ),
        Index("ix_executions_queued", "owner", "id", **_where("status = 'queued'")),
        Index("ix_executions_running", "owner", "id", **_where("status = 'running'")),
        Index("ix_executions_waiting", "wake_at", "id", **_where("status = 'waiting'")),
        **CLUSTERED,
        postgresql_partition_by="RANGE (id)",
    )


def _create_journal() -> None:
    op.create_table(
        "payloads",
        _text("tenant_id", key=True),
        _text("execution_id", key=True),
        _number("received_at"),
        _bytes("envelope"),
        _bytes("body"),
        _of_execution(),
        **STRICT,
        postgresql_partition_by="RANGE (execution_id)",
    )
    op.create_table(
        "steps",
        _text("tenant_id", key=True),
        _text("execution_id", key=True),
        _text("path", key=True),
        _number("position"),
        _text("uses"),
        _text("status"),
        _number("attempt"),
        _number("started_at", null=True),
        _number("duration_ms", null=True),
        _bytes("output", null=True),
        _text("error_code", null=True),
        _text("error_message", null=True),
        _text("error_step", null=True),
        _text("idempotency_key", null=True),
        _of_execution(),
        **STRICT,
        postgresql_partition_by="RANGE (execution_id)",
    )


def _create_books() -> None:
    op.create_table(
        "ledger",
        _text("tenant_id", key=True),
        _text("workflow_id", key=True),
        _number("hour", key=True),
        _text("trigger", key=True),
        _text("outcome", key=True),
        _text("process", key=True),
        _number("n"),
        Index("ix_ledger_process", "process", **_where("process <> ''")),
        **CLUSTERED,
    )
    op.create_table(
        "processes",
        _text("id", key=True),
        _number("started_at"),
        **CLUSTERED,
    )
    op.create_table(
        "probe",
        _number("id", key=True),
        _number("at"),
        **STRICT,
    )


def _text(name: str, *, key: bool = False, null: bool = False) -> Column[str]:
    return Column(name, TEXT, primary_key=key, nullable=null)


def _number(name: str, *, key: bool = False, null: bool = False) -> Column[int]:
    kind = BigInteger().with_variant(Integer, "sqlite")
    return Column(name, kind, primary_key=key, nullable=null, autoincrement=False)


def _bytes(name: str, *, null: bool = False) -> Column[bytes]:
    return Column(name, LargeBinary, nullable=null)


def _of_execution() -> ForeignKeyConstraint:
    """Point at the execution; not in PostgreSQL, where old ones go by the table."""
    return ForeignKeyConstraint(
        ["tenant_id", "execution_id"], ["executions.tenant_id", "executions.id"]
    ).ddl_if(dialect="sqlite")


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}
