"""Rings from a thread of its own, so that no request waits for Redis."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol

from redis import RedisError

log = logging.getLogger(__name__)
MOST = 100  # rings sent in one go; who has nothing to do looks by himself soon
REST = 1.0  # seconds without trying after a ring that failed


class Watch(Protocol):
    """Who counts rings."""

    def rung(self, outcome: str, rings: int) -> None: ...

    def unheard(self, rings: int) -> None: ...


class Ringer:
    """Counts rings and sends them; while Redis does not answer they are dropped.

    Args:
        send: rings once, or raises.
        unheard: counts the rings that wait in Redis, or raises.
        watch: is told of rings that were sent, failed or were dropped.
        rest: seconds without trying after a failure.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        send: Callable[[], None],
        unheard: Callable[[], int],
        watch: Watch,
        *,
        rest: float = REST,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._send, self._unheard, self._watch = send, unheard, watch
        self._rest, self._clock = rest, clock
        self._changed = threading.Condition()
        self._waiting = 0
        self._stopped = False
        self._silent_until: float | None = None  # none: the last ring was heard
        self._thread = threading.Thread(target=self._work, name="ringer", daemon=True)

    def ring(self) -> None:
        """Have it rung soon; never waits and never fails."""
        with self._changed:
            self._waiting = min(self._waiting + 1, MOST)
            self._changed.notify()

    def start(self) -> None:
        """Begin; once, after the fork."""
        self._thread.start()

    def stop(self, *, patience: float = 2.0) -> None:
        """Send what waits, then stop; wait for it at most `patience` seconds."""
        with self._changed:
            self._stopped = True
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join(patience)

    def _work(self) -> None:
        while count := self._take():
            self._ring(count)

    def _take(self) -> int:
        """Wait for rings; none means that there will be no more."""
        with self._changed:
            while not self._waiting and not self._stopped:
                self._changed.wait()
            count, self._waiting = self._waiting, 0
            return count

    def _ring(self, count: int) -> None:
        if self._silent_until is not None and self._clock() < self._silent_until:
            self._watch.rung("dropped", count)
            return
        try:
            for _ in range(count):
                self._send()
            self._watch.unheard(self._unheard())
        except (RedisError, OSError) as error:
            self._watch.rung("failed", count)
            self._fail(error)
        else:
            self._watch.rung("sent", count)
            self._succeed()

    def _fail(self, error: Exception) -> None:
        if self._silent_until is None:
            reason = f"{type(error).__name__}: {error}"
            log.warning("Redis does not answer", extra={"reason": reason})
        self._silent_until = self._clock() + self._rest

    def _succeed(self) -> None:
        if self._silent_until is not None:
            log.info("Redis answers again")
        self._silent_until = None
