"""The line in front of workers in other processes, on any machine."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Protocol

from app.domain.errors import Overloaded, RateLimited, StoreUnavailable, full
from app.domain.execution import Execution
from app.engine.pool import PoolStats
from app.store.protocol import Processes

FULL = 0.1  # seconds for which a full house is believed to be full still
NOBODY = PoolStats(workers=0, busy=0, queued=0, capacity=0, shed=0)


class Bell(Protocol):
    """Wakes workers."""

    def ring(self) -> None:
        """Say that there is work; never waits and never fails.

        A ring may be lost: workers also look by themselves, every second.
        """


class Elsewhere:
    """What is accepted here is owed work for whichever worker has a thread.

    The store counts the places, of all processes together, as it records.

    Args:
        books: where the workers are listed.
        bell: wakes them.
        process: the name of this process.
        seats: places that there are while no worker lives.
    """

    glance = 0.1

    def __init__(
        self,
        books: Processes,
        bell: Bell,
        *,
        process: str,
        seats: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._books, self.bell, self._process = books, bell, process
        self.seats, self._clock = seats, clock
        self._lock = threading.Lock()
        self._full_until = 0.0
        self._shed, self._last = 0, NOBODY

    def reserve(self) -> "FarPlace":
        if self._clock() < self._full_until:
            self._refused()
            raise full()
        return FarPlace(self)

    @property
    def mark(self) -> Mapping[str, Any]:
        return {"seat": self._process}

    def leave(self, execution_id: str) -> None:
        """Nothing of it is here."""

    def fill(self) -> None:
        """Learn that there is no place: for a moment nobody need ask the store."""
        self._refused()
        self._full_until = self._clock() + FULL

    def stats(self) -> PoolStats:
        crew = self._books.crew()
        self._last = PoolStats(
            workers=crew.workers,
            busy=crew.busy,
            queued=crew.queued,
            capacity=max(crew.capacity, self.seats),
            shed=self._shed,
        )
        return self._last

    def last_stats(self) -> PoolStats:
        """Count as `stats`, or say what was counted last if that is impossible."""
        try:
            return self.stats()
        except StoreUnavailable:
            return replace(self._last, shed=self._shed)

    def _refused(self) -> None:
        with self._lock:
            self._shed += 1


class FarPlace:
    """A place that the store grants or refuses as it records."""

    def __init__(self, line: Elsewhere) -> None:
        self._line = line

    def take(self, execution: Execution) -> None:  # noqa: ARG002
        self._line.bell.ring()

    def free(self, why: BaseException | None = None) -> None:
        if isinstance(why, Overloaded) and not isinstance(why, RateLimited):
            self._line.fill()
