"""What a process tells those who watch it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from app.telemetry.metrics import Metrics
from app.telemetry.summed import Summed
from app.telemetry.traces import Tracer


@dataclass(frozen=True, slots=True)
class Signals:
    """The metrics, the traces and the summed up warnings of one process."""

    metrics: Metrics = field(default_factory=Metrics)
    tracer: Tracer = field(default_factory=Tracer)
    summed: Summed = field(default_factory=Summed)

    def committed(self, changes: int, seconds: float, contexts: Sequence[str]) -> None:
        """Note one group commit, and the traces that it was for."""
        self.metrics.committed(changes, seconds)
        self.tracer.committed(changes, seconds, contexts)

    def commit_failed(self) -> None:
        """Count one group commit of which nothing was kept."""
        self.metrics.commit_failed()
