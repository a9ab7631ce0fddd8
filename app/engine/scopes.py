"""What an execution's expressions see."""

from collections.abc import Iterable
from typing import Any

from app.domain import body, jsons, times
from app.domain.execution import OVER, Execution, Payload, StepRecord
from app.domain.expression import Scope
from app.engine.plan import Plan


def make(
    held: Execution, plan: Plan, payload: Payload, journal: Iterable[StepRecord]
) -> Scope:
    """Build the roots from what came in and what earlier segments recorded."""
    coding = payload.headers.get("content-encoding")
    decoded = body.decode(payload.body, payload.content_type, coding)
    return Scope(
        {
            "trigger": trigger(payload, decoded.value),
            "steps": {
                record.path: {"output": _output(record)}
                for record in journal
                if record.status in OVER
            },
            "vars": plan.variables,
            "execution": {
                "id": held.id,
                "attempt": held.attempt,
                "workflow_id": held.workflow_id,
                "tenant_id": held.tenant_id,
            },
        },
        body_error=decoded.error,
    )


def trigger(payload: Payload, value: object) -> dict[str, Any]:
    """Build the root of what came in, with the value of its body."""
    return {
        "body": value,
        "headers": dict(payload.headers),
        "query": dict(payload.query),
        "method": payload.method,
        "path": payload.path,
        "received_at": times.rfc3339(payload.received_at),
    }


def _output(record: StepRecord) -> object:
    if record.is_answer or record.output is None:
        return None
    return jsons.parse(record.output)
