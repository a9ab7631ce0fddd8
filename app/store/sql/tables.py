"""Every table but those of people, as the newest migration leaves it.

Times are milliseconds since 1970, truth values are 0 and 1. Text that a stranger may
have chosen freely is kept as JSON in bytes, so that no database objects to it.
"""

from sqlalchemy import ForeignKeyConstraint, Index, Table

from app.store.sql.columns import CLUSTERED, STRICT, metadata
from app.store.sql.columns import binary as _bytes
from app.store.sql.columns import number as _number
from app.store.sql.columns import text as _text
from app.store.sql.columns import where as _where

SELDOM = "trigger <> 'webhook'"
UNWELCOME = "status IN ('cancelled', 'failed', 'quarantined', 'unknown')"


def _of_workflow() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["tenant_id", "workflow_id"], ["workflows.tenant_id", "workflows.id"]
    )


def _of_credential() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["tenant_id", "credential_id"], ["credentials.tenant_id", "credentials.id"]
    )


def _of_execution() -> ForeignKeyConstraint:
    """Point at the execution; not in PostgreSQL, where old ones go by the table."""
    return ForeignKeyConstraint(
        ["tenant_id", "execution_id"], ["executions.tenant_id", "executions.id"]
    ).ddl_if(dialect="sqlite")


workflows = Table(
    "workflows",
    metadata,
    _text("tenant_id", key=True),
    _text("id", key=True),
    _text("name"),
    _text("name_folded"),
    _number("version"),
    _number("is_active"),
    _text("token"),  # empty: the first release kept it in plain
    _bytes("token_hash"),
    _number("created_at"),
    _number("updated_at"),
    _number("deleted_at", null=True),
    _bytes("token_sealed", null=True),
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

former_tokens = Table(
    "former_tokens",
    metadata,
    _text("tenant_id", key=True),
    _text("workflow_id", key=True),
    _bytes("token_hash", key=True),
    _number("expires_at"),
    _of_workflow(),
    Index("ux_former_tokens_hash", "token_hash", unique=True),
    **CLUSTERED,
)

credentials = Table(
    "credentials",
    metadata,
    _text("tenant_id", key=True),
    _text("id", key=True),
    _text("name"),
    _text("type"),
    _text("workflow_id", null=True),
    _bytes("sealed"),
    _number("created_at"),
    _number("updated_at"),
    ForeignKeyConstraint(["tenant_id"], ["tenants.id"]),
    _of_workflow(),
    Index("ux_credentials_name", "tenant_id", "name", unique=True),
    Index(
        "ix_credentials_workflow",
        "tenant_id",
        "workflow_id",
        **_where("workflow_id IS NOT NULL"),
    ),
    **CLUSTERED,
)

# Tokens that an authorization server granted; a number tells who renewed them first.
grants = Table(
    "grants",
    metadata,
    _text("tenant_id", key=True),
    _text("credential_id", key=True),
    _number("generation"),
    _bytes("sealed"),
    _number("claimed_until", null=True),
    _of_credential(),
    **CLUSTERED,
)

# Questions that people were sent away with.
consents = Table(
    "consents",
    metadata,
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

# What the current versions of workflows name: it can neither go nor be renamed.
credential_uses = Table(
    "credential_uses",
    metadata,
    _text("tenant_id", key=True),
    _text("name", key=True),
    _text("workflow_id", key=True),
    ForeignKeyConstraint(
        ["tenant_id", "name"], ["credentials.tenant_id", "credentials.name"]
    ),
    _of_workflow(),
    Index("ix_credential_uses_workflow", "tenant_id", "workflow_id"),
    **CLUSTERED,
)

versions = Table(
    "versions",
    metadata,
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

executions = Table(
    "executions",
    metadata,
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
    _text("seat", null=True),
    _text("trace", null=True),
    ForeignKeyConstraint(
        ["tenant_id", "workflow_id", "version"],
        ["versions.tenant_id", "versions.workflow_id", "versions.number"],
    ),
    Index("ix_executions_workflow", "tenant_id", "workflow_id", "id"),
    Index("ix_executions_unwelcome", "tenant_id", "status", "id", **_where(UNWELCOME)),
    Index(
        "ix_executions_error",
        "tenant_id",
        "error_code",
        "id",
        **_where("error_code IS NOT NULL"),
    ),
    Index("ix_executions_trigger", "tenant_id", "trigger", "id", **_where(SELDOM)),
    Index("ix_executions_key", "tenant_id", "key", "id", **_where("key IS NOT NULL")),
    # One state each: SQLite does not see that status = 'queued' implies an IN.
    Index("ix_executions_queued", "owner", "id", **_where("status = 'queued'")),
    Index("ix_executions_running", "owner", "id", **_where("status = 'running'")),
    Index("ix_executions_waiting", "wake_at", "id", **_where("status = 'waiting'")),
    Index("ix_executions_seated", "status", "id", **_where("seat IS NOT NULL")),
    **CLUSTERED,
    postgresql_partition_by="RANGE (id)",
)

# Rows with large values have a rowid, so that the tree of their keys stays small.
payloads = Table(
    "payloads",
    metadata,
    _text("tenant_id", key=True),
    _text("execution_id", key=True),
    _number("received_at"),
    _bytes("envelope"),
    _bytes("body"),
    _of_execution(),
    **STRICT,
    postgresql_partition_by="RANGE (execution_id)",
)

steps = Table(
    "steps",
    metadata,
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

# Without a foreign key: a key outlives an execution that is deleted.
dedupe = Table(
    "dedupe",
    metadata,
    _text("tenant_id", key=True),
    _text("workflow_id", key=True),
    _bytes("key", key=True),
    _text("execution_id"),
    _number("expires_at"),
    Index("ix_dedupe_expires", "expires_at"),
    **CLUSTERED,
)

ledger = Table(
    "ledger",
    metadata,
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

# Only ever added to.
audit = Table(
    "audit",
    metadata,
    _text("tenant_id", key=True),
    _text("id", key=True),
    _number("at"),
    _text("action"),
    _text("target"),
    _bytes("changes"),
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

processes = Table(
    "processes",
    metadata,
    _text("id", key=True),
    _number("started_at"),
    _text("kind", null=True),
    _number("workers", null=True),
    _number("queue", null=True),
    _number("lease_until", null=True),  # 0: taken away
    _text("ring", null=True),
    **CLUSTERED,
)

# Rewritten to learn whether the database can be written.
probe = Table(
    "probe",
    metadata,
    _number("id", key=True),
    _number("at"),
    **STRICT,
)
