"""How a worker ends: nothing is refused, what runs may finish, what waits is kept."""

import logging
import time
from collections.abc import Callable
from typing import Protocol

from app.server.traffic import Traffic

log = logging.getLogger(__name__)
IDLE = 2.0  # seconds a kept connection lives on, for a request already on its way
MARGIN = 2.0  # seconds before the master kills that belong to the last steps
PAUSE = 0.1  # seconds between two looks


class Engine(Protocol):
    """What runs executions, as far as the end of its process goes."""

    def begin_drain(self) -> None:
        """Start nothing more; what waits stays in the store. Never blocks for long."""
        ...

    def running(self) -> int:
        """Count the executions on threads."""
        ...

    def abort(self) -> None:
        """Interrupt those; they become queued for another process."""
        ...

    def stop(self) -> None:
        """Write what is left and close everything."""
        ...


class Idle:
    """The `Engine` of an application that has none."""

    def begin_drain(self) -> None:
        return

    def running(self) -> int:
        return 0

    def abort(self) -> None:
        return

    def stop(self) -> None:
        return


class Loop(Protocol):
    """The event loop, as far as its end goes."""

    traffic: Traffic
    hurried: bool  # whether to wait for nobody

    def turn(self, patience: float) -> None:
        """Handle events for `patience` seconds, and tell the master we live."""
        ...

    def close_door(self) -> None:
        """Take the connections that have come, then let no other come."""
        ...


class Drain:
    """One drain of one process, from the main thread, never from a signal handler.

    Args:
        loop: keeps requests moving meanwhile.
        engine: keeps executions moving meanwhile.
        seconds: after which the master kills this process.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        loop: Loop,
        engine: Engine,
        *,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._loop, self._engine, self._clock = loop, engine, clock
        self._began = clock()
        self._margin = min(MARGIN, seconds / 2)
        self._deadline = self._began + seconds - self._margin

    def run(self) -> None:
        """Drain, and log what became of everything."""
        self._attempt(self._engine.begin_drain)
        self._loop.close_door()
        self._loop.traffic.hush(IDLE)
        while self._busy() and not self._hurry():
            self._loop.turn(PAUSE)
        interrupted = self._interrupt()
        requests = self._loop.traffic.serving
        self._attempt(self._engine.stop)
        facts = {
            "duration_ms": round((self._clock() - self._began) * 1000),
            "interrupted": interrupted,
            "overstayed": self._engine.running(),
            "requests_left": requests,
            "connections_closed": self._loop.traffic.abandon(),
        }
        log.info("Drained", extra=facts)

    def _busy(self) -> bool:
        return len(self._loop.traffic) > 0 or self._engine.running() > 0

    def _hurry(self) -> bool:
        return self._loop.hurried or self._clock() >= self._deadline

    def _interrupt(self) -> int:
        """Hand back the executions that have no time left, and count them."""
        count = self._engine.running()
        if not count:
            return 0
        self._attempt(self._engine.abort)
        latest = self._clock() + self._margin / 2
        while self._engine.running() and self._clock() < latest:
            self._loop.turn(PAUSE / 5)
        return count

    def _attempt(self, step: Callable[[], None]) -> None:
        """Take a step; whatever goes wrong in it, the others must still be taken."""
        try:
            step()
        except Exception:
            log.exception("A step of the drain failed")
