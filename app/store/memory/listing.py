"""Which executions a filter shows."""

from app.domain.execution import Execution
from app.store.protocol import ExecutionFilter


def matches(execution: Execution, wanted: ExecutionFilter) -> bool:
    """Tell whether an execution passes every part of a filter."""
    return (
        wanted.workflow_id in (None, execution.workflow_id)
        and wanted.status in (None, execution.status)
        and wanted.trigger in (None, execution.trigger)
        and (wanted.since is None or execution.created_at >= wanted.since)
        and (wanted.until is None or execution.created_at < wanted.until)
        and (wanted.q is None or _mentions(execution, wanted.q))
    )


def _mentions(execution: Execution, q: str) -> bool:
    return (
        execution.id.startswith(q)
        or q.casefold() in execution.workflow_name.casefold()
        or execution.key == q
        or (execution.error is not None and execution.error.code == q)
    )
