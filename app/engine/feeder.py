"""Gives owed work to threads that are idle."""

import time
from collections.abc import Callable, Sequence
from functools import partial

from app.domain import times
from app.domain.errors import StoreUnavailable
from app.domain.execution import Execution
from app.engine.house import House

GLANCE = 1.0  # seconds between looks at the store; a shorter wait keeps its thread
BATCH = 100  # waiting executions woken at once


class Feeder:
    """Owed work stays in the store until a thread is idle; it is never refused.

    `nudge` is called when more may be had: after a job that came from here.
    """

    def __init__(self, house: House, carry_out: Callable[[Execution], None]) -> None:
        self._executions, self._pool = house.store.executions, house.pool
        self._running, self._ownership = house.running, house.ownership
        self._doubts = house.doubts
        self._carry_out = carry_out
        self._due = time.monotonic()  # when to look next at what waits for its time
        self.nudge: Callable[[], None] = lambda: None

    def answer(self) -> None:
        """Look now, as soon as a thread is idle.

        Whoever has none keeps the rings from those who have, so it waits a moment.
        """
        self._pool.wait_idle(GLANCE)
        self.nudge()

    def feed(self) -> float:
        """Wake what is due, start what is owed; return seconds to the next look."""
        if self._running.closed or not self._ownership.is_sure:
            return GLANCE
        if time.monotonic() >= self._due:
            self._wake()
        if idle := self._pool.idle():
            self._offer(self._claim(idle))
        return max(0.0, self._due - time.monotonic())

    def _wake(self) -> None:
        """Wake what is due, not oftener than it can become due.

        Whatever waits does so for longer than from one look to the next.
        """
        self._executions.wake(times.now(), limit=BATCH)
        self._due = time.monotonic() + self._until_next()

    def _claim(self, limit: int) -> Sequence[Execution]:
        try:
            return self._executions.claim(self._ownership.id, limit=limit)
        except StoreUnavailable as error:
            self._doubts.raised_by(error)
            raise

    def _offer(self, claimed: Sequence[Execution]) -> None:
        for execution in claimed:
            job = partial(self._carry_out, execution)
            if not self._pool.offer(job, self._over):
                self._executions.release(self._ownership.id, only=execution.id)

    def _over(self) -> None:
        self.nudge()

    def _until_next(self) -> float:
        due = self._executions.next_wake()
        if due is None:
            return GLANCE
        return max(0.0, min(GLANCE, (due - times.now()).total_seconds()))
