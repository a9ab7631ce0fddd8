"""Between rows and executions, payloads and steps."""

from collections.abc import Iterable, Sequence

import orjson

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
from app.store import envelope, text
from app.store.sql.rows import AnyRow, Values, instant, millis


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
        "seat": execution.seat,
        "trace": execution.trace,
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
        seat=row.seat,
        trace=row.trace,
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


def step(row: AnyRow, output: bytes | None) -> StepRecord:
    """Read a step; its output may not be among what was asked for."""
    return StepRecord(
        path=row.path,
        position=row.position,
        uses=row.uses,
        status=StepStatus(row.status),
        attempt=row.attempt,
        started_at=instant(row.started_at),
        duration_ms=row.duration_ms,
        output=output,
        error=failure(row),
        idempotency_key=row.idempotency_key,
    )
