"""Says that an execution is over: to the log, the metrics and whoever waits."""

import logging
from dataclasses import dataclass
from datetime import datetime

from app.domain import times
from app.domain.execution import Execution, Status
from app.engine.watching import Watchers
from app.telemetry.metrics import Metrics
from app.telemetry.traces import trace_id

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reporter:
    """Called once for each execution that ended, after the commit that ended it."""

    metrics: Metrics
    watchers: Watchers

    def started(self, execution: Execution) -> None:
        """Note how long it was queued before its first start."""
        if execution.started_at is not None:
            queued = execution.started_at - execution.created_at
            self.metrics.started(max(0.0, queued.total_seconds()))

    def ended(self, execution: Execution, *, status: Status, at: datetime) -> None:
        """Write the line that every dashboard counts."""
        duration = at - (execution.started_at or at)
        self.metrics.executed(status.value, duration.total_seconds())
        log.info(
            "Workflow executed",
            extra=_traced(execution)
            | {
                "tenant_id": execution.tenant_id,
                "user_id": execution.user_id,
                "workflow_id": execution.workflow_id,
                "execution_id": execution.id,
                "duration_ms": duration // times.MILLISECOND,
                "status": status.value,
            },
        )
        self.watchers.tell(execution.id)


def _traced(execution: Execution) -> dict[str, str]:
    found = trace_id(execution.trace)
    return {} if found is None else {"trace_id": found}
