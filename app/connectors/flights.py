"""Work that several threads need at once and that one of them does."""

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from app.domain.context import ExecutionContext
from app.domain.errors import StepFailed

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class _Flight(Generic[T]):
    waiting: list[threading.Event] = field(default_factory=list)
    landed: list[T] = field(default_factory=list)  # the one result, once there is one
    failure: StepFailed | None = None


class Flights(Generic[T]):
    """Shares one piece of work among all who ask for it while it is under way.

    A failure is shared as well. When who works is stopped, the next one takes over.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._flights: dict[Hashable, _Flight[T]] = {}

    def share(
        self, context: ExecutionContext, key: Hashable, work: Callable[[], T]
    ) -> T:
        """Do the work, or wait for whoever does it.

        Raises:
            StepFailed: it failed, for all.
            Cancelled, Interrupted, DeadlineExceeded: from the own context only.
        """
        while True:
            done = threading.Event()
            with self._lock:
                flight = self._flights.get(key)
                if flight is None:
                    mine = self._flights[key] = _Flight[T]()
                else:
                    flight.waiting.append(done)
            if flight is None:
                return self._fly(key, mine, work)
            _wait(context, done)
            if flight.failure is not None:
                raise _again(flight.failure)
            if flight.landed:
                return flight.landed[0]

    def _fly(self, key: Hashable, flight: _Flight[T], work: Callable[[], T]) -> T:
        try:
            result = work()
            flight.landed.append(result)
        except StepFailed as failure:
            flight.failure = failure
            raise
        finally:
            with self._lock:
                del self._flights[key]
            for each in flight.waiting:
                each.set()
        return result


def _wait(context: ExecutionContext, done: threading.Event) -> None:
    with context.woken_by(done.set):
        done.wait(context.remaining())
    context.check()


def _again(failure: StepFailed) -> StepFailed:
    """Copy a failure: one exception is not raised in two threads."""
    return StepFailed(
        failure.code,
        str(failure),
        retryable=failure.retryable,
        retry_after=failure.retry_after,
    )
