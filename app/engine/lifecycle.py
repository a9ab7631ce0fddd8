"""Starts and stops the engine; gunicorn's worker calls this."""

import logging
from collections.abc import Collection
from functools import partial

from app.domain import times
from app.domain.errors import StoreUnavailable
from app.engine.feeder import Feeder
from app.engine.house import House
from app.engine.recovery import Recovery
from app.engine.ticker import Ticker
from app.engine.vitals import Vitals

log = logging.getLogger(__name__)
BEAT = 1.0  # seconds
SWEPT = 500  # expired keys deleted at once
SWEEPS = 10  # in one beat, at most


class Engine:
    """The life of the engine in one process: start, drain, stop."""

    def __init__(self, house: House, feeder: Feeder, vitals: Vitals) -> None:
        self._store, self._ownership = house.store, house.ownership
        self._pool, self._running = house.pool, house.running
        self._backlog, self._watchers = house.backlog, house.watchers
        self._refusals, self._settlement = house.refusals, house.settlement
        self._metrics, self._vitals = house.metrics, vitals
        self._recovery = Recovery(house.store, house.ownership, house.metrics)
        self._feeding = Ticker("feeder", feeder.feed)
        self._beating = Ticker("beat", self._beat)
        feeder.nudge = self._feeding.nudge

    def start(self) -> None:
        """Open the store and begin to work; once, after the fork.

        Raises:
            StoreUnavailable: the store cannot be opened or written.
        """
        try:
            self._ownership.acquire()
        except OSError as error:
            raise StoreUnavailable(
                f"the data directory cannot be used: {error}"
            ) from error
        self._store.start()
        self._store.processes.add(self._ownership.id, at=times.now())
        self._recovery.sweep()
        self._feeding.start()
        self._beating.start()
        log.info("Engine started", extra={"owner": self._ownership.id})

    def begin_drain(self) -> None:
        """Start nothing more, and give what waits to whoever comes next.

        What a caller waits for is finished here first, also if he comes only now.
        """
        self._running.close(but=self._watchers.is_watched)
        waited_for = self._watchers.watched()
        for _ in range(self._backlog.clear(but=waited_for)):
            self._pool.withdraw()
        self._feeding.stop(patience=0)
        self._release(but=waited_for)

    def running(self) -> int:
        """Count the executions that this process still has to finish."""
        return len(self._running) + len(self._backlog)

    def abort(self) -> None:
        """Ask what still runs to stop and become owed work."""
        self._metrics.overstayed(len(self._running))
        self._running.interrupt()

    def stop(self) -> None:
        """Write what is left to write and let go of everything.

        The process stays in the books until another one finds its lock free: what
        a straggling thread still records is taken over with the rest.
        """
        if not self._running.closed:
            self.begin_drain()
        self._pool.close()
        self._feeding.stop()
        self._beating.stop()
        self._beat_quietly()
        self._release()
        self._store.close()
        self._ownership.release()
        log.info("Engine stopped", extra={"owner": self._ownership.id})

    def _beat(self) -> float:
        self._vitals.show()
        self._refusals.flush()
        self._settlement.retry()
        for execution_id in self._store.executions.cancel_requested(self._ownership.id):
            self._running.cancel(execution_id)
        self._sweep()
        self._vitals.ask()
        if self._running.closed:
            self._release(but=self._watchers.watched())
        elif self._recovery.sweep():
            self._feeding.nudge()
        return BEAT

    def _sweep(self) -> None:
        """Delete expired keys; in small batches, so that others write in between."""
        sweep = partial(self._store.dedupe.sweep, times.now(), limit=SWEPT)
        for _ in range(SWEEPS):
            if sweep() < SWEPT:
                return

    def _beat_quietly(self) -> None:
        try:
            self._refusals.flush()
            self._settlement.retry()
        except StoreUnavailable:
            log.exception("Counts were lost")

    def _release(self, *, but: Collection[str] = ()) -> None:
        try:
            count = self._store.executions.release(self._ownership.id, but=but)
        except StoreUnavailable:  # recovery finds them: the lock is free when we end
            log.warning("Queued executions wait for recovery")
            return
        if count:
            log.info("Queued executions handed over", extra={"count": count})
