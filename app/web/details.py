"""All there is to know of one execution, small enough for one answer."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from flask import Response, url_for

from app.domain import body, jsons
from app.domain.errors import NotFound
from app.domain.execution import Execution, Payload, StepOutline
from app.web import pages
from app.web.answers import LINK, MAX_VALUE, Room, encoded, link
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
MAX_STEPS = 1000  # shown; about as many of the shortest fit


def of(execution: Execution) -> ExecutionView:
    """Show an execution with its input and as many of its steps as fit."""
    executions, room = services().store.executions, Room()
    payload = executions.payload(execution.tenant_id, execution.id)
    found = _outline(execution, limit=MAX_STEPS + 1)
    segments = execution.segments[-MAX_SEGMENTS:]
    came_in = room.show(_input(payload), _url("read_input", execution))
    request = encoded(request_of(execution.id, payload))
    request_shown = room.show(request, _url("read_request", execution))
    steps = _fitting(execution, found[:MAX_STEPS], room)
    return ExecutionView(
        **fields_of(execution),
        input=came_in,
        request=request_shown,
        steps=steps,
        steps_url=_rest(execution, shown=len(steps), of=len(found)),
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
    passed = after or 0
    found = _outline(execution, after=passed, limit=limit + 1)
    outputs, room = _Outputs(execution), Room()
    for each in found:  # those that do not fit are on the next page
        outputs.want(each, room)
    outputs.read()
    return pages.page(
        list(enumerate(found, start=passed + 1)),
        limit,
        lambda each: _step(each[1], outputs),
        key=lambda each: str(each[0]),
    )


def output(execution: Execution, path: str) -> bytes:
    """Return the output of a step as JSON.

    Raises:
        NotFound: there is no such step, or it has no output yet.
    """
    names = (execution.tenant_id, execution.id)
    found = services().store.executions.outputs(*names, [path])
    if path not in found:
        raise NotFound("This execution has no output of such a step (yet).")
    return found[path]


class _Outputs:
    """Of the outputs of an execution those that are shown, and links to the others."""

    def __init__(self, execution: Execution) -> None:
        self._execution = execution
        self._wanted: list[str] = []
        self._read: Mapping[str, bytes] = {}

    def want(self, step: StepOutline, room: Room) -> None:
        """Show an output, if there is room for it."""
        if step.size is not None and room.holds(step.size):
            self._wanted.append(step.record.path)

    def read(self) -> None:
        """Read what is shown, and nothing else."""
        names = (self._execution.tenant_id, self._execution.id)
        executions = services().store.executions
        self._read = executions.outputs(*names, self._wanted, most=MAX_VALUE)

    def of(self, step: StepOutline) -> Any:
        path = step.record.path
        if path in self._read:
            return orjson.Fragment(self._read[path])
        if step.size is None:
            return None
        view = "executions.read_output"
        return link(
            step.size, url_for(view, execution_id=self._execution.id, step=path)
        )


def _outline(
    execution: Execution, *, limit: int, after: int = 0
) -> Sequence[StepOutline]:
    executions = services().store.executions
    names = (execution.tenant_id, execution.id)
    return executions.outline(*names, after=after, limit=limit)


def _fitting(
    execution: Execution, found: Sequence[StepOutline], room: Room
) -> list[StepView]:
    """Show as many steps as fit; then their outputs, as far as there is room."""
    outputs, fitting = _Outputs(execution), []
    for each in found:
        least = min(each.size or 0, LINK)
        if not room.take(len(encoded(_step(each, None))) + least):
            break
        fitting.append(each)
    for each in fitting:
        outputs.want(each, room)
    outputs.read()
    return [_step(each, outputs) for each in fitting]


def _step(step: StepOutline, outputs: _Outputs | None) -> StepView:
    """Show a step; its output is null where there are none."""
    record, value = step.record, outputs and outputs.of(step)
    return StepView(
        id=record.path.rpartition("/")[2],
        path=record.path,
        uses=record.uses,
        status=record.status,
        attempt=record.attempt,
        started_at=record.started_at,
        duration_ms=record.duration_ms,
        output=None if record.is_answer else value,
        answer=value if record.is_answer else None,
        error=FailureView.of(record.error),
        idempotency_key=record.idempotency_key,
    )


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
