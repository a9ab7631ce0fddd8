"""What a running execution carries: a way to be stopped, and a deadline."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from app.domain.errors import Cancelled, DeadlineExceeded, Interrupted, ServiceError


class Stop:
    """One stop for an execution and everything that it waits for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._event = threading.Event()
        self._why: ServiceError | None = None
        self._wakers: set[Callable[[], None]] = set()

    def set(self, why: ServiceError) -> None:
        """Stop for a reason; only the first reason counts.

        Each waker is called once, in this thread; it must neither block nor raise.
        """
        with self._lock:
            if self._why is not None:
                return
            self._why = why
            self._event.set()
            for waker in self._wakers:
                waker()

    @property
    def why(self) -> ServiceError | None:
        """The reason, once stopped."""
        return self._why

    def wait(self, seconds: float) -> bool:
        """Wait for the stop, at most so long; say whether it came."""
        return self._event.wait(seconds)

    def add(self, waker: Callable[[], None]) -> None:
        """Call this when stopped; raises the reason if that already happened."""
        with self._lock:
            if self._why is not None:
                raise self._why
            self._wakers.add(waker)

    def discard(self, waker: Callable[[], None]) -> None:
        """Forget a waker."""
        with self._lock:
            self._wakers.discard(waker)


@dataclass(frozen=True, slots=True)
class ExecutionContext:
    """Travels with one execution through every step and connector.

    Stopping is cooperative: whatever loops calls `check`, whatever waits calls
    `sleep` or waits inside `woken_by`.
    """

    execution_id: str
    deadline: float  # seconds, on `clock`
    clock: Callable[[], float] = time.monotonic
    stop: Stop = field(default_factory=Stop)

    def cancel(self) -> None:
        """Ask the execution to stop; safe from any thread, any number of times."""
        self.stop.set(Cancelled(f"execution {self.execution_id} was cancelled"))

    def interrupt(self) -> None:
        """Ask the execution to stop here and go on in another process."""
        self.stop.set(Interrupted(f"execution {self.execution_id} must move"))

    def within(self, seconds: float) -> "ExecutionContext":
        """Return the same context with a deadline that is no later than this."""
        deadline = min(self.deadline, self.clock() + seconds)
        return ExecutionContext(self.execution_id, deadline, self.clock, self.stop)

    def remaining(self) -> float:
        """Seconds left, never below zero."""
        return max(0.0, self.deadline - self.clock())

    def check(self) -> None:
        """Raise `Cancelled`, `Interrupted` or `DeadlineExceeded` if it ends here."""
        if (why := self.stop.why) is not None:
            raise why
        if self.clock() >= self.deadline:
            raise DeadlineExceeded(f"execution {self.execution_id} ran out of time")

    def sleep(self, seconds: float) -> None:
        """Wait, but wake at once when stopped and never outlive the deadline."""
        self.stop.wait(min(seconds, self.remaining()))
        self.check()

    @contextmanager
    def woken_by(self, waker: Callable[[], None]) -> Iterator[None]:
        """Have a blocking wait broken by `waker` when the execution is stopped."""
        self.stop.add(waker)
        try:
            yield
        finally:
            self.stop.discard(waker)
