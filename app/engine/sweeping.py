"""Deletes what has expired."""

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol

from app.domain import times
from app.store.protocol import Store
from app.telemetry.metrics import Metrics

SWEPT = 500  # rows deleted at once; small, so that others write in between
SWEEPS = 10  # of one kind in one beat, at most


class Sweep(Protocol):
    """Deletes rows of one kind, the first that have expired."""

    def __call__(self, at: datetime, *, limit: int) -> int: ...


class Sweeper:
    """Sweeps every kind of row that expires."""

    def __init__(
        self,
        store: Store,
        metrics: Metrics,
        *,
        clock: Callable[[], datetime] = times.now,
    ) -> None:
        self._metrics, self._clock = metrics, clock
        self._sweeps: Mapping[str, Sweep] = {
            "dedupe": store.dedupe.sweep,
            "sessions": store.sessions.sweep,
            "invitations": store.invitations.sweep,
            "tries": store.tries.sweep,
        }

    def sweep(self) -> None:
        """Delete what has expired by now."""
        at = self._clock()
        for name, sweep in self._sweeps.items():
            began = time.monotonic()
            found = _all_of(sweep, at)
            self._metrics.swept(name, found, time.monotonic() - began)


def _all_of(sweep: Sweep, at: datetime) -> int:
    found = 0
    for _ in range(SWEEPS):
        deleted = sweep(at, limit=SWEPT)
        found += deleted
        if deleted < SWEPT:
            break
    return found
