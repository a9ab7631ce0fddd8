"""All there is to know of one execution, small enough for one answer."""

from collections.abc import Sequence
from typing import Any

from flask import Response, url_for

from app.domain import body, jsons
from app.domain.errors import NotFound
from app.domain.execution import Execution, Payload, StepRecord
from app.web import pages
from app.web.answers import LINK, Room, encoded
from app.web.schemas.executions import (
    ExecutionView,
    FailureView,
    RequestView,
    SegmentView,
    StepView,
    WaitingView,
    fields_of,
)
from app.web.services import services

MAX_SEGMENTS = 100  # shown


def of(execution: Execution) -> ExecutionView:
    """Show an execution with its input and as many of its steps as fit."""
    executions, room = services().store.executions, Room()
    payload = executions.payload(execution.tenant_id, execution.id)
    records = executions.steps(execution.tenant_id, execution.id)
    segments = execution.segments[-MAX_SEGMENTS:]
    came_in = room.show(_input(payload), _url("read_input", execution))
    request = encoded(request_of(execution.id, payload))
    request_shown = room.show(request, _url("read_request", execution))
    steps = _fitting(execution, records, room)
    return ExecutionView(
        **fields_of(execution),
        input=came_in,
        request=request_shown,
        steps=steps,
        steps_url=_rest(execution, shown=len(steps), of=len(records)),
        waiting=_waiting(execution),
        segments=[
            SegmentView(started_at=each.started_at, ended_at=each.ended_at)
            for each in segments
        ],
    )


def request_of(execution_id: str, payload: Payload) -> RequestView:
    """Show what came in beside the body."""
    return RequestView(
        method=payload.method,
        path=payload.path,
        query=payload.query,
        headers=payload.headers,
        content_type=payload.content_type,
        size=len(payload.body),
        received_at=payload.received_at,
        url=url_for("executions.read_input", execution_id=execution_id),
    )


def steps_page(execution: Execution, limit: int, after: int | None) -> Response:
    """Answer with a page of steps; the cursor is how many came before."""
    records = services().store.executions.steps(execution.tenant_id, execution.id)
    numbered = list(enumerate(records, start=1))[after or 0 :]
    return pages.page(
        numbered[: limit + 1],
        limit,
        lambda each: _step(execution, each[1], Room()),
        key=lambda each: str(each[0]),
    )


def output(execution: Execution, path: str) -> bytes:
    """Return the output of a step as JSON.

    Raises:
        NotFound: there is no such step, or it has no output yet.
    """
    records = services().store.executions.steps(execution.tenant_id, execution.id)
    for each in records:
        if each.path == path and each.output is not None:
            return each.output
    raise NotFound("This execution has no output of such a step (yet).")


def _fitting(
    execution: Execution, records: Sequence[StepRecord], room: Room
) -> list[StepView]:
    """Show as many steps as fit; then their outputs, as far as there is room."""
    steps = []
    for record in records:
        step = _step(execution, record, None)
        least = min(len(record.output or b""), LINK)
        if not room.take(len(encoded(step)) + least):
            break
        steps.append(step)
    return [
        step.model_copy(update=_result(execution, record, room))
        for step, record in zip(steps, records, strict=False)
    ]


def _step(execution: Execution, record: StepRecord, room: Room | None) -> StepView:
    return StepView(
        id=record.path.rpartition("/")[2],
        path=record.path,
        uses=record.uses,
        status=record.status,
        attempt=record.attempt,
        started_at=record.started_at,
        duration_ms=record.duration_ms,
        **_result(execution, record, room),
        error=FailureView.of(record.error),
        idempotency_key=record.idempotency_key,
    )


def _result(
    execution: Execution, record: StepRecord, room: Room | None
) -> dict[str, Any]:
    """Show an output, or the answer to a caller; neither while there is no room."""
    url = url_for("executions.read_output", execution_id=execution.id, step=record.path)
    value = None if room is None else room.show(record.output, url)
    if record.is_answer:
        return {"output": None, "answer": value}
    return {"output": value, "answer": None}


def _input(payload: Payload) -> bytes:
    return jsons.encode(body.decode(payload.body, payload.content_type).value)


def _waiting(execution: Execution) -> WaitingView | None:
    if execution.waiting_for is None:
        return None
    return WaitingView(reason=execution.waiting_for, until=execution.wake_at)


def _url(view: str, execution: Execution) -> str:
    return url_for(f"executions.{view}", execution_id=execution.id)


def _rest(execution: Execution, *, shown: int, of: int) -> str | None:
    if shown == of:
        return None
    cursor = pages.opaque(str(shown))
    return url_for("executions.list_steps", execution_id=execution.id, cursor=cursor)
