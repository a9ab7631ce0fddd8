"""Executions, their steps and what came in."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal

from app.domain.execution import (
    Execution,
    Failure,
    Reason,
    Status,
    StepStatus,
    Trigger,
)
from app.store.protocol import ExecutionFilter
from app.web.schemas.types import Instant, Limit, Query, Shown, View, Word

MILLISECOND = timedelta(milliseconds=1)
MAX_MESSAGE = 2000  # characters shown; the message of `fail` may be a whole body


class ExecutionQuery(Query):
    """Which executions a list shows; `since` and `until` are about `created_at`."""

    workflow_id: str | None = None
    status: Status | None = None
    trigger: Trigger | None = None
    since: Instant | None = None
    until: Instant | None = None
    q: Word | None = None  # id prefix, workflow name, key or error code
    limit: Limit = 50
    cursor: str | None = None

    def wanted(self) -> ExecutionFilter:
        """Say it in the store's words."""
        return ExecutionFilter(
            workflow_id=self.workflow_id,
            status=self.status,
            trigger=self.trigger,
            since=self.since,
            until=self.until,
            q=self.q,
        )


class FailureView(View):
    """Why an execution or a step failed."""

    code: str
    message: str
    step: str | None

    @classmethod
    def of(cls, failure: Failure | None) -> "FailureView | None":
        """Show a failure, if there is one."""
        if failure is None:
            return None
        message = failure.message
        if len(message) > MAX_MESSAGE:
            message = f"{message[:MAX_MESSAGE]}…"
        return cls(code=failure.code, message=message, step=failure.step)


class ExecutionItem(View):
    """An execution in a list; durations are milliseconds."""

    id: str
    workflow_id: str
    workflow_name: str
    version: int
    status: Status
    trigger: Trigger
    user_id: str
    created_at: Shown
    started_at: Shown | None
    finished_at: Shown | None
    duration_ms: int | None
    queue_ms: int | None
    attempt: int
    error: FailureView | None
    cancel_requested: bool
    replay_of: str | None
    key: str | None

    @classmethod
    def of(cls, execution: Execution) -> "ExecutionItem":
        """Show an execution."""
        return cls(**fields_of(execution))


class StepView(View):
    """A step of an execution."""

    id: str
    path: str
    uses: str
    status: StepStatus
    attempt: int
    started_at: Shown | None
    duration_ms: int | None
    output: Any
    answer: Any  # what a `respond` step told the caller; its output is null
    error: FailureView | None
    idempotency_key: str | None


class StepQuery(Query):
    """Which steps a list shows."""

    limit: Limit = 50
    cursor: str | None = None


class RequestView(View):
    """What came in beside the body; secret headers are left out."""

    method: str
    path: str
    query: Mapping[str, str | list[str]]
    headers: Mapping[str, str]
    content_type: str | None
    size: int  # bytes of the body
    received_at: Shown
    url: str  # the body, exactly


class WaitingView(View):
    """Why an execution waits, and until when."""

    reason: Reason
    until: Shown | None


class SegmentView(View):
    """One stretch of running; a crash leaves it without an end."""

    started_at: Shown
    ended_at: Shown | None


class ExecutionView(ExecutionItem):
    """An execution with all there is to know.

    `input` is what expressions see as `trigger.body`; null if it cannot be parsed.
    Steps that no longer fit into one answer are behind `steps_url`. Of very many
    segments the last ones are shown.
    """

    input: Any
    request: Any  # a RequestView, or where to get a large one
    steps: list[StepView]
    steps_url: str | None
    waiting: WaitingView | None
    segments: list[SegmentView]


class StepPage(View):
    """A page of steps, in the order in which they started."""

    items: list[StepView]
    next_cursor: str | None


class ExecutionPage(View):
    """A page of executions."""

    items: list[ExecutionItem]
    next_cursor: str | None


class QueuedView(View):
    """A run that was accepted."""

    status: Status
    execution_id: str


class ReceivedView(View):
    """An event that was accepted, or that had been accepted before."""

    status: Literal["queued", "duplicate"]
    execution_id: str


def fields_of(execution: Execution) -> dict[str, Any]:
    """Return what every view of an execution has."""
    started, finished = execution.started_at, execution.finished_at
    return {
        "id": execution.id,
        "workflow_id": execution.workflow_id,
        "workflow_name": execution.workflow_name,
        "version": execution.version,
        "status": execution.status,
        "trigger": execution.trigger,
        "user_id": execution.user_id,
        "created_at": execution.created_at,
        "started_at": started,
        "finished_at": finished,
        "duration_ms": _between(started, finished),
        "queue_ms": _between(execution.created_at, started),
        "attempt": execution.attempt,
        "error": FailureView.of(execution.error),
        "cancel_requested": execution.cancel_requested,
        "replay_of": execution.replay_of,
        "key": execution.key,
    }


def _between(start: datetime | None, end: datetime | None) -> int | None:
    if start is None or end is None:
        return None
    return max(0, (end - start) // MILLISECOND)
