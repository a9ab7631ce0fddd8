"""Shows what every thread is doing when the event loop stands still."""

import faulthandler
import logging
import sys
import time
from collections.abc import Callable
from typing import TextIO

log = logging.getLogger(__name__)


class Watchdog:
    """An alarm that the event loop puts off as long as it turns.

    When it goes off, faulthandler writes the stacks of all threads to stderr, once:
    from C, since a frozen interpreter runs no Python, and as plain text for the same
    reason. The line that follows on the log once the loop turns again is JSON.

    Args:
        patience: seconds the loop may stand still.
        clock: seconds, monotonic.
        rearm: seconds between two settings of the alarm, which start a thread each.
        stderr: a real file, where the stacks go; none is the process's own.
    """

    def __init__(
        self,
        patience: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
        *,
        rearm: float = 1.0,
        stderr: TextIO | None = None,
    ) -> None:
        self._patience, self._clock = patience, clock
        self._rearm = rearm
        self._stderr = stderr or sys.stderr
        self._last = clock()
        self._armed = -rearm

    def beat(self) -> None:
        """Tell that the loop turns."""
        now = self._clock()
        late, self._last = now - self._last, now
        if late > self._patience:
            facts = {"duration_ms": round(late * 1000)}
            log.error("The event loop stood still; stderr has the stacks", extra=facts)
        if now - self._armed >= self._rearm:
            self._armed = now
            faulthandler.dump_traceback_later(
                self._patience + self._rearm, file=self._stderr
            )

    def stop(self) -> None:
        """Set no further alarm: the process ends."""
        faulthandler.cancel_dump_traceback_later()
