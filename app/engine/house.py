"""What the parts of one process's engine share."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from app.engine.backlog import Backlog
from app.engine.doubts import Doubts
from app.engine.ownership import Ownership
from app.engine.payloads import Payloads
from app.engine.pool import PoolStats, WorkerPool
from app.engine.refusals import Refusals
from app.engine.report import Reporter
from app.engine.running import Running
from app.engine.settlement import Settlement
from app.engine.watching import Watchers
from app.store.protocol import Store
from app.telemetry.metrics import Metrics
from app.telemetry.signals import Signals
from app.telemetry.summed import Summed
from app.telemetry.traces import Tracer


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """One process: its threads and seats, what runs in it, and its name."""

    store: Store
    metrics: Metrics
    tracer: Tracer
    summed: Summed
    ownership: Ownership
    pool: WorkerPool
    backlog: Backlog
    payloads: Payloads
    running: Running
    watchers: Watchers
    refusals: Refusals
    reporter: Reporter
    settlement: Settlement
    doubts: Doubts

    @classmethod
    def build(
        cls,
        store: Store,
        signals: Signals,
        ownership: Ownership,
        pool: WorkerPool,
        stats: Callable[[], PoolStats] | None = None,
    ) -> Self:
        """Make a house; nothing starts.

        Args:
            store: shared with other houses.
            signals: of the process.
            ownership: how others see that this one lives.
            pool: threads that execute, and places to wait; without threads workers
                elsewhere do it.
            stats: counts what there is elsewhere, where workers do it.
        """
        watchers, backlog = Watchers(), Backlog()
        counts = stats or pool.stats
        refusals = Refusals(store.ledger, process=ownership.id, stats=counts)
        return cls(
            store=store,
            metrics=signals.metrics,
            tracer=signals.tracer,
            summed=signals.summed,
            ownership=ownership,
            pool=pool,
            backlog=backlog,
            payloads=Payloads(store.executions),
            running=Running(),
            watchers=watchers,
            refusals=refusals,
            reporter=Reporter(signals.metrics, watchers),
            settlement=Settlement(),
            doubts=Doubts(store.executions, backlog, ownership.id),
        )

    @property
    def owner(self) -> str:
        """The name that its executions carry."""
        return self.ownership.id
