"""Deletes what has expired."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from app.domain import times
from app.store.protocol import Store

SWEPT = 500  # rows deleted at once; small, so that others write in between
SWEEPS = 10  # of one kind in one beat, at most


class Sweep(Protocol):
    """Deletes rows of one kind, the first that have expired."""

    def __call__(self, at: datetime, *, limit: int) -> int: ...


class Sweeper:
    """Sweeps every kind of row that expires."""

    def __init__(
        self, store: Store, *, clock: Callable[[], datetime] = times.now
    ) -> None:
        self._clock = clock
        self._sweeps: tuple[Sweep, ...] = (
            store.dedupe.sweep,
            store.sessions.sweep,
            store.invitations.sweep,
            store.tries.sweep,
        )

    def sweep(self) -> None:
        """Delete what has expired by now."""
        at = self._clock()
        for each in self._sweeps:
            _all_of(each, at)


def _all_of(sweep: Sweep, at: datetime) -> None:
    for _ in range(SWEEPS):
        if sweep(at, limit=SWEPT) < SWEPT:
            return
