"""Shows what every thread is doing when the event loop stands still."""

import faulthandler
import logging
import sys
import threading
import time
from collections.abc import Callable
from typing import TextIO

log = logging.getLogger(__name__)


class Watchdog:
    """Looks from a thread of its own whether the event loop turns.

    When it does not, faulthandler writes the stacks of all threads to stderr, once, and
    holds the interpreter meanwhile. Its own alarm (`dump_traceback_later`) does not:
    a process that goes on after it was stopped, with its machine or by a signal, is
    past every deadline, and reading the stacks of threads that run can end it with
    SIGSEGV. What holds the interpreter itself shows when the master ends the process.

    Args:
        patience: seconds the loop may stand still.
        clock: seconds, monotonic.
        every: seconds between two looks.
        stderr: a real file, where the stacks go; none is the process's own.
    """

    def __init__(
        self,
        patience: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
        *,
        every: float = 1.0,
        stderr: TextIO | None = None,
    ) -> None:
        self._patience, self._clock, self._every = patience, clock, every
        self._stderr = stderr or sys.stderr
        self._last = self._looked = clock()
        self._has_shown = False
        self._over = threading.Event()
        self._thread = threading.Thread(
            target=self._watch, name="watchdog", daemon=True
        )

    def start(self) -> None:
        """Begin to look, and show the stacks also when a signal ends the process."""
        faulthandler.enable(self._stderr)
        self._thread.start()

    def beat(self) -> None:
        """Tell that the loop turns."""
        now = self._clock()
        late, self._last = now - self._last, now
        self._has_shown = False
        if late > self._patience:
            facts = {"duration_ms": round(late * 1000)}
            log.error("The event loop stood still; stderr has the stacks", extra=facts)

    def look(self) -> None:
        """Write the stacks if the loop stands still, and this thread did not."""
        now = self._clock()
        slept, self._looked = now - self._looked, now
        is_late = now - self._last > self._patience
        if is_late and slept < self._patience and not self._has_shown:
            self._has_shown = True
            print("Stacks while the event loop stands still:", file=self._stderr)
            self._stderr.flush()
            faulthandler.dump_traceback(self._stderr)

    def stop(self) -> None:
        """Look no more: the process ends."""
        self._over.set()

    def _watch(self) -> None:
        while not self._over.wait(self._every):
            self.look()
