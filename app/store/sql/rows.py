"""Between rows and the domain's values."""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Row

from app.domain import jsons
from app.domain.account import ApiKey, Scope, Tenant, User
from app.domain.execution import (
    Execution,
    Failure,
    Payload,
    Reason,
    Segment,
    Status,
    StepRecord,
    StepStatus,
    Trigger,
)
from app.domain.times import from_ms, to_ms
from app.domain.workflow import Published, Version, Workflow
from app.store import envelope, text

Values = dict[str, Any]
AnyRow = Row[Any]


def millis(at: datetime | None) -> int | None:
    """Write an instant that may be missing."""
    return None if at is None else to_ms(at)


def instant(at: int | None) -> datetime | None:
    """Undo `millis`."""
    return None if at is None else from_ms(at)


def token_hash(token: str) -> bytes:
    """Return what a webhook's token is looked up by."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()


def tenant(row: AnyRow) -> Tenant:
    """Read a tenant."""
    return Tenant(id=row.id, name=row.name, created_at=from_ms(row.created_at))


def user(row: AnyRow) -> User:
    """Read a user."""
    return User(
        id=row.id,
        email=row.email,
        password_hash=row.password_hash,
        created_at=from_ms(row.created_at),
    )


def api_key_values(key: ApiKey) -> Values:
    """Write a key."""
    return {
        "tenant_id": key.tenant_id,
        "id": key.id,
        "user_id": key.user_id,
        "name": key.name,
        "prefix": key.prefix,
        "secret_hash": key.secret_hash,
        "scopes": " ".join(sorted(key.scopes)),
        "created_at": to_ms(key.created_at),
        "expires_at": millis(key.expires_at),
        "revoked_at": millis(key.revoked_at),
    }


def api_key(row: AnyRow) -> ApiKey:
    """Read a key."""
    return ApiKey(
        tenant_id=row.tenant_id,
        id=row.id,
        user_id=row.user_id,
        name=row.name,
        prefix=row.prefix,
        secret_hash=row.secret_hash,
        scopes=frozenset(Scope(each) for each in row.scopes.split()),
        created_at=from_ms(row.created_at),
        expires_at=instant(row.expires_at),
        revoked_at=instant(row.revoked_at),
    )


def workflow_values(workflow: Workflow) -> Values:
    """Write a workflow."""
    return {
        "tenant_id": workflow.tenant_id,
        "id": workflow.id,
        "name": workflow.name,
        "name_folded": workflow.name.casefold(),
        "version": workflow.version,
        "is_active": int(workflow.is_active),
        "token": workflow.token,
        "token_hash": token_hash(workflow.token),
        "created_at": to_ms(workflow.created_at),
        "updated_at": to_ms(workflow.updated_at),
    }


def workflow(row: AnyRow) -> Workflow:
    """Read a workflow."""
    return Workflow(
        tenant_id=row.tenant_id,
        id=row.id,
        name=row.name,
        version=row.version,
        is_active=bool(row.is_active),
        token=row.token,
        created_at=from_ms(row.created_at),
        updated_at=from_ms(row.updated_at),
    )


def version_values(version: Version) -> Values:
    """Write a version.

    Raises:
        Invalid: its definition is not JSON.
    """
    return {
        "tenant_id": version.tenant_id,
        "workflow_id": version.workflow_id,
        "number": version.number,
        "definition": envelope.encoded("the definition", version.definition),
        "author_id": version.author_id,
        "created_at": to_ms(version.created_at),
    }


def version(row: AnyRow) -> Version:
    """Read a version."""
    return Version(
        tenant_id=row.tenant_id,
        workflow_id=row.workflow_id,
        number=row.number,
        definition=jsons.parse(row.definition),
        author_id=row.author_id,
        created_at=from_ms(row.created_at),
    )


def published(row: AnyRow) -> Published:
    """Read a workflow joined with its version, whose times are `published_at`."""
    current = Version(
        tenant_id=row.tenant_id,
        workflow_id=row.id,
        number=row.version,
        definition=jsons.parse(row.definition),
        author_id=row.author_id,
        created_at=from_ms(row.published_at),
    )
    return Published(workflow(row), current)


def execution_values(execution: Execution) -> Values:
    """Write an execution."""
    return {
        "tenant_id": execution.tenant_id,
        "id": execution.id,
        "workflow_id": execution.workflow_id,
        "version": execution.version,
        "status": execution.status,
        "trigger": execution.trigger,
        "user_id": execution.user_id,
        "created_at": to_ms(execution.created_at),
        "started_at": millis(execution.started_at),
        "finished_at": millis(execution.finished_at),
        "attempt": execution.attempt,
        "owner": execution.owner,
        "fence": execution.fence,
        **failure_values(execution.error),
        "segments": segments_value(execution.segments),
        "wake_at": millis(execution.wake_at),
        "waiting_for": execution.waiting_for,
        "cancel_requested": int(execution.cancel_requested),
        "replay_of": execution.replay_of,
        "key": execution.key,
    }


def execution(row: AnyRow) -> Execution:
    """Read an execution, with the name of its workflow beside it."""
    return Execution(
        tenant_id=row.tenant_id,
        id=row.id,
        workflow_id=row.workflow_id,
        workflow_name=row.workflow_name,
        version=row.version,
        status=Status(row.status),
        trigger=Trigger(row.trigger),
        user_id=row.user_id,
        created_at=from_ms(row.created_at),
        started_at=instant(row.started_at),
        finished_at=instant(row.finished_at),
        attempt=row.attempt,
        owner=row.owner,
        fence=row.fence,
        error=failure(row),
        segments=segments(row.segments),
        wake_at=instant(row.wake_at),
        waiting_for=None if row.waiting_for is None else Reason(row.waiting_for),
        cancel_requested=bool(row.cancel_requested),
        replay_of=row.replay_of,
        key=row.key,
    )


def failure_values(error: Failure | None) -> Values:
    """Write why something failed, or that it did not."""
    error = text.clean(error)
    return {
        "error_code": error and error.code,
        "error_message": error and error.message,
        "error_step": error and error.step,
    }


def failure(row: AnyRow) -> Failure | None:
    """Undo `failure_values`."""
    if row.error_code is None:
        return None
    return Failure(row.error_code, row.error_message, row.error_step)


def segments_value(stretches: Iterable[Segment]) -> bytes:
    """Write stretches of running as pairs."""
    return orjson.dumps(
        [(to_ms(each.started_at), millis(each.ended_at)) for each in stretches]
    )


def segments(stored: bytes) -> tuple[Segment, ...]:
    """Undo `segments_value`."""
    pairs = orjson.loads(stored)
    return tuple(Segment(from_ms(start), instant(end)) for start, end in pairs)


def payload_values(execution: Execution, payload: Payload) -> Values:
    """Write what came in.

    Raises:
        Invalid: a text in it cannot be stored.
    """
    return {
        "tenant_id": execution.tenant_id,
        "execution_id": execution.id,
        "received_at": to_ms(payload.received_at),
        "envelope": envelope.pack(payload),
        "body": payload.body,
    }


def payload(row: AnyRow) -> Payload:
    """Read what came in."""
    received_at = from_ms(row.received_at)
    return envelope.unpack(row.envelope, body=row.body, received_at=received_at)


def step_values(held: Execution, steps: Sequence[StepRecord]) -> list[Values]:
    """Write the steps of an execution."""
    return [
        {
            "tenant_id": held.tenant_id,
            "execution_id": held.id,
            "path": each.path,
            "position": each.position,
            "uses": each.uses,
            "status": each.status,
            "attempt": each.attempt,
            "started_at": millis(each.started_at),
            "duration_ms": each.duration_ms,
            "output": each.output,
            **failure_values(each.error),
            "idempotency_key": each.idempotency_key,
        }
        for each in steps
    ]


def step(row: AnyRow) -> StepRecord:
    """Read a step."""
    return StepRecord(
        path=row.path,
        position=row.position,
        uses=row.uses,
        status=StepStatus(row.status),
        attempt=row.attempt,
        started_at=instant(row.started_at),
        duration_ms=row.duration_ms,
        output=row.output,
        error=failure(row),
        idempotency_key=row.idempotency_key,
    )
