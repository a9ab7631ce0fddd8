"""Takes over what dead processes left, at start and every second."""

import logging
import time

from app.engine.ownership import Ownership
from app.store.protocol import Store
from app.telemetry.metrics import Metrics

log = logging.getLogger(__name__)
STRAYS = 10.0  # seconds between looks for what nobody owns who is known


class Recovery:
    """Makes the executions of ended processes owed work again."""

    def __init__(self, store: Store, ownership: Ownership, metrics: Metrics) -> None:
        self._store, self._ownership = store, ownership
        self._metrics = metrics
        self._next = time.monotonic() + STRAYS

    def sweep(self) -> int:
        """Look at every other process once; return how many executions were taken.

        Old and new processes may overlap: one that lives keeps what it has.
        """
        began = time.monotonic()
        taken = sum(self._take_over(other) for other in self._ownership.dead())
        found = taken + self._strays()
        self._metrics.swept("recovery", found, time.monotonic() - began)
        return found

    def _take_over(self, dead: str) -> int:
        taken = self._store.executions.take_over(dead)
        self._store.ledger.fold(dead)
        self._ownership.forget(dead)
        if taken:
            self._metrics.taken_over(taken)
            log.warning("Executions taken over", extra={"count": taken, "owner": dead})
        return taken

    def _strays(self) -> int:
        """Find what a process wrote that was forgotten before it had stopped."""
        if time.monotonic() < self._next:
            return 0
        self._next = time.monotonic() + STRAYS
        count = self._store.executions.disown()
        if count:
            log.warning("Executions without an owner found", extra={"count": count})
        return count
