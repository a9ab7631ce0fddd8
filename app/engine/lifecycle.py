"""Starts and stops the engine; gunicorn's worker calls this."""

import logging
from collections.abc import Callable, Collection
from contextlib import suppress

from app.domain.errors import StoreUnavailable
from app.engine.feeder import Feeder
from app.engine.house import House
from app.engine.recovery import Recovery
from app.engine.sweeping import Sweeper
from app.engine.ticker import Ticker
from app.engine.upkeep import Upkeep
from app.engine.vitals import Vitals

log = logging.getLogger(__name__)
BEAT = 0.5  # seconds between looks at whether it lives, and at who must stop
CHORES = 1.0  # seconds between all else that is done again and again


def _stay() -> None:
    """Leave it to others to end the process."""


class Engine:
    """The life of the engine in one process: start, drain, stop.

    Args:
        house: what it works with.
        feeder: brings owed work.
        vitals: tells how it is.
        leave: asks the process to end, when others have taken it for dead.
    """

    def __init__(
        self,
        house: House,
        feeder: Feeder,
        vitals: Vitals,
        leave: Callable[[], None] = _stay,
    ) -> None:
        self._store, self._ownership = house.store, house.ownership
        self._pool, self._running = house.pool, house.running
        self._backlog, self._watchers = house.backlog, house.watchers
        self._refusals, self._settlement = house.refusals, house.settlement
        self._metrics, self._tracer = house.metrics, house.tracer
        self._summed = house.summed
        self._vitals, self._sweeper = vitals, Sweeper(house.store, house.metrics)
        self._recovery = Recovery(house.store, house.ownership, house.metrics)
        self._upkeep, self._doubts = Upkeep(house.store), house.doubts
        self._feeding = Ticker("feeder", feeder.feed)
        self._beating = Ticker("beat", self._beat, pause=BEAT)
        self._chores = Ticker("chores", self._do_chores)
        self._leave = leave
        feeder.nudge = self._feeding.nudge

    def start(self) -> None:
        """Open the store and begin to work; once, after the fork.

        Raises:
            StoreUnavailable: the store cannot be opened or written.
        """
        self._store.start()
        self._tracer.start()
        self._ownership.acquire()
        self._recovery.sweep()
        self._feeding.start()
        self._beating.start()
        self._chores.start()
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
        self._retire()

    def running(self) -> int:
        """Count the executions that this process still has to finish."""
        return len(self._running) + len(self._backlog)

    def abort(self) -> None:
        """Ask what still runs to stop and become owed work."""
        self._metrics.overstayed(len(self._running))
        self._running.interrupt()

    def stop(self) -> None:
        """Write what is left to write and let go of everything.

        The process stays in the books until another one finds it dead: what a
        straggling thread still records is taken over with the rest.
        """
        if not self._running.closed:
            self.begin_drain()
        self._pool.close()
        self._feeding.stop()
        self._chores.stop()
        self._flush_quietly()
        self._release()
        self._beating.stop()
        self._resign()
        self._store.close()
        self._tracer.stop()
        self._ownership.release()
        log.info("Engine stopped", extra={"owner": self._ownership.id})

    def _beat(self) -> float:
        if not self._ownership.keep():
            self._lose()
        for execution_id in self._store.executions.cancel_requested(self._ownership.id):
            self._running.cancel(execution_id)
        return BEAT

    def _lose(self) -> None:
        """End: others run what was here, and nothing that is written here counts."""
        log.error("Taken for dead by others", extra={"owner": self._ownership.id})
        self._running.close()
        self._running.interrupt()
        self._leave()

    def _do_chores(self) -> float:
        self._vitals.show()
        self._summed.flush()
        self._refusals.flush()
        self._settlement.retry()
        self._sweeper.sweep()
        self._vitals.ask()
        if self._running.closed:
            self._release(but=self._watchers.watched())
        elif self._recovery.sweep() + self._doubts.settle():
            self._feeding.nudge()
        self._upkeep.look()
        return CHORES

    def _flush_quietly(self) -> None:
        self._summed.flush()
        try:
            self._refusals.flush()
            self._settlement.retry()
        except StoreUnavailable:
            log.exception("Counts were lost")

    def _retire(self) -> None:
        """Let nobody count on this process any more."""
        with suppress(StoreUnavailable):
            self._store.processes.retire(self._ownership.id)

    def _resign(self) -> None:
        with suppress(StoreUnavailable):  # then it is found dead a little later
            self._ownership.resign()

    def _release(self, *, but: Collection[str] = ()) -> None:
        try:
            count = self._store.executions.release(self._ownership.id, but=but)
        except StoreUnavailable:  # recovery finds them: the lock is free when we end
            log.warning("Queued executions wait for recovery")
            return
        if count:
            log.info("Queued executions handed over", extra={"count": count})
