"""What the parts of one process's engine share."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from app.engine.backlog import Backlog
from app.engine.ownership import Ownership
from app.engine.pool import WorkerPool
from app.engine.refusals import Refusals
from app.engine.report import Reporter
from app.engine.running import Running
from app.engine.settlement import Settlement
from app.engine.watching import Watchers
from app.store.protocol import Store
from app.telemetry.metrics import Metrics


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """One process: its threads and seats, what runs in it, and its name."""

    store: Store
    metrics: Metrics
    ownership: Ownership
    pool: WorkerPool
    backlog: Backlog
    running: Running
    watchers: Watchers
    refusals: Refusals
    reporter: Reporter
    settlement: Settlement

    @classmethod
    def build(
        cls,
        store: Store,
        metrics: Metrics,
        *,
        workers: int,
        queue: int,
        owners: Path,
    ) -> Self:
        """Make a house with so many threads and places to wait; nothing starts.

        Args:
            store: shared with other houses.
            metrics: of the process.
            workers: threads that execute.
            queue: executions that may wait for one.
            owners: the folder of the lock files, shared with other houses.
        """
        watchers, ownership = Watchers(), Ownership(owners)
        pool = WorkerPool(workers=workers, queue=queue)
        return cls(
            store=store,
            metrics=metrics,
            ownership=ownership,
            pool=pool,
            backlog=Backlog(),
            running=Running(),
            watchers=watchers,
            refusals=Refusals(store.ledger, process=ownership.id, stats=pool.stats),
            reporter=Reporter(metrics, watchers),
            settlement=Settlement(),
        )

    @property
    def owner(self) -> str:
        """The name that its executions carry."""
        return self.ownership.id
