"""How this process is: read every second, and again when somebody asks."""

import shutil
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from app.domain import times
from app.engine.house import House

COUNTED = 10_000  # owed executions; beyond that it only matters that they are many


class Tally(Protocol):
    """What the event loop has counted since the process began."""

    refused: Counter[int]  # requests, by status
    evicted: int  # idle connections closed for new ones


@dataclass(frozen=True, slots=True, kw_only=True)
class Vitals:
    """Carries numbers that somebody else keeps to the metrics."""

    house: House
    data_dir: Path
    limit: float  # seconds an execution may run
    dropped: Callable[[], int]  # log lines
    tally: Callable[[], Tally | None]  # of the event loop, if one serves

    def show(self) -> None:
        """Read what costs next to nothing and cannot fail."""
        house, stats = self.house, self.house.pool.stats()
        load = house.store.load()
        house.metrics.show(
            {
                "sluice_processes": 1,
                "sluice_pool_workers": stats.workers,
                "sluice_pool_busy": stats.busy,
                "sluice_pool_queued": stats.queued,
                "sluice_pool_capacity": stats.capacity,
                "sluice_execution_oldest_seconds": house.running.longest(),
                "sluice_execution_limit_seconds": self.limit,
                "sluice_store_queue": load.waiting,
                "sluice_store_readers_busy": load.readers,
            }
        )
        house.metrics.follow("sluice_dropped_log_lines_total", self.dropped())
        house.metrics.measure_process()
        self._show_disk()
        self._show_tally()

    def ask(self) -> None:
        """Read what only the store knows.

        Raises:
            StoreUnavailable: it cannot be read.
        """
        queued = self.house.store.executions.queued(self.house.owner, limit=COUNTED)
        age = 0.0
        if queued.oldest is not None:
            age = max(0.0, (times.now() - queued.oldest).total_seconds())
        self.house.metrics.show(
            {
                "sluice_backlog_executions": queued.owed,
                "sluice_backlog_oldest_seconds": age,
            }
        )

    def _show_disk(self) -> None:
        with suppress(OSError):  # not made yet, or gone: the store says so
            disk = shutil.disk_usage(self.data_dir)
            self.house.metrics.show(
                {
                    "sluice_disk_free_bytes": disk.free,
                    "sluice_disk_size_bytes": disk.total,
                }
            )

    def _show_tally(self) -> None:
        tally = self.tally()
        if tally is None:
            return
        for status, count in tally.refused.copy().items():
            self.house.metrics.follow(
                "sluice_refused_requests_total", count, str(status)
            )
        self.house.metrics.follow("sluice_evicted_connections_total", tally.evicted)
