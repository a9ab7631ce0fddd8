"""Takes over what dead processes left, at start and every second."""

import logging

from app.engine.ownership import Ownership
from app.store.protocol import Store
from app.telemetry.metrics import Metrics

log = logging.getLogger(__name__)


class Recovery:
    """Makes the executions of ended processes owed work again."""

    def __init__(self, store: Store, ownership: Ownership, metrics: Metrics) -> None:
        self._store, self._ownership = store, ownership
        self._metrics = metrics

    def sweep(self) -> int:
        """Look at every other process once; return how many executions were taken.

        Old and new processes may overlap: one that lives keeps what it has.
        """
        return sum(
            self._take_over(other)
            for other in self._store.processes.others(self._ownership.id)
            if self._ownership.is_dead(other)
        )

    def _take_over(self, dead: str) -> int:
        taken = self._store.executions.take_over(dead)
        self._store.ledger.fold(dead)
        self._store.processes.remove(dead)
        self._ownership.forget(dead)
        if taken:
            self._metrics.taken_over(taken)
            log.warning("Executions taken over", extra={"count": taken, "owner": dead})
        return taken
