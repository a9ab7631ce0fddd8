"""The line in front of this process's own threads."""

from collections.abc import Callable, Mapping
from typing import Any

from app.domain.execution import Execution
from app.engine.house import House
from app.engine.pool import PoolStats, Seat


class OwnThreads:
    """What is accepted here runs here: a seat, then a job for a thread."""

    seats = 0
    glance = 0.5

    def __init__(self, house: House, carry_out: Callable[[Execution], None]) -> None:
        self._house, self._carry_out = house, carry_out

    def reserve(self) -> "OwnPlace":
        return OwnPlace(self._house, self._house.pool.reserve(), self._carry_out)

    @property
    def mark(self) -> Mapping[str, Any]:
        return {"owner": self._house.owner}

    def leave(self, execution_id: str) -> None:
        if self._house.backlog.remove(execution_id):
            self._house.pool.withdraw()

    def stats(self) -> PoolStats:
        return self._house.pool.stats()


class OwnPlace:
    """A seat of the pool."""

    def __init__(
        self, house: House, seat: Seat, carry_out: Callable[[Execution], None]
    ) -> None:
        self._house, self._seat, self._carry_out = house, seat, carry_out

    def take(self, execution: Execution) -> None:
        if self._house.running.admits(execution.id):
            self._queue(execution)
        else:  # draining: the row is handed over
            self._seat.free()

    def free(self, why: BaseException | None = None) -> None:  # noqa: ARG002
        self._seat.free()

    def _queue(self, execution: Execution) -> None:
        self._house.backlog.push(execution)
        try:
            self._seat.run(self._run_next)
        except RuntimeError:  # the engine has stopped: recovery finds the row
            self._house.backlog.remove(execution.id)

    def _run_next(self) -> None:
        execution = self._house.backlog.pop()
        if execution is not None:
            self._carry_out(execution)
