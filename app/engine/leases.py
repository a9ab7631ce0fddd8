"""Ownership for a time, for processes on any number of machines."""

import time
from collections.abc import Callable, Sequence

from app.domain.process import Process
from app.store.protocol import Processes

BEATS = 3  # in a lease: two may be missed


class LeaseOwnership:
    """A lease in the store, extended again and again.

    A process is dead exactly when its lease has run out by the store's clock and
    somebody has taken it away; from then on it owns nothing, though it may run.

    After an outage of the store nobody is taken for dead for the length of a lease,
    so that all who live can say so first.

    Args:
        process: this one.
        books: where all are listed.
        lease: seconds.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        process: Process,
        books: Processes,
        *,
        lease: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._process, self._books, self._lease = process, books, lease
        self._clock = clock
        self._kept = self._trusts = clock()

    @property
    def id(self) -> str:
        return self._process.id

    def acquire(self) -> None:
        self._kept = self._clock()
        self._books.add(self._process, lease=self._lease)

    def keep(self) -> bool:
        began = self._clock()
        if began - self._kept < self._lease / BEATS:
            return True
        if not self._books.extend(self.id, lease=self._lease):
            return False
        if not self.is_sure:  # others were cut off as well
            self._trusts = began + self._lease
        self._kept = began
        return True

    @property
    def is_sure(self) -> bool:
        return self._clock() - self._kept < self._lease

    def dead(self) -> Sequence[str]:
        trusts = self.is_sure and self._clock() >= self._trusts
        return self._books.expire(self.id) if trusts else []

    def forget(self, dead: str) -> None:
        self._books.remove(dead)

    def resign(self) -> None:
        self._books.extend(self.id, lease=0)

    def release(self) -> None:
        """Hold nothing: the lease is in the store."""
