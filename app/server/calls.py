"""What other threads ask of the event loop, which is woken once for many."""

import logging
import os
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

log = logging.getLogger(__name__)


class Calls:
    """Calls that the event loop makes, in place of gunicorn's queue of them.

    gunicorn's own writes into its pipe for every call, and gives up the GIL each time;
    here, however many senders a commit answers, the first one wakes the loop.
    """

    def __init__(self) -> None:
        self._calls: deque[Callable[[], object]] = deque()
        self._rung = False  # whether the loop is sure to look
        self._ends: tuple[int, int] | None = None

    def init(self) -> None:
        """Open what wakes the loop; after the fork."""
        self._ends = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def close(self) -> None:
        """Close it again."""
        ends, self._ends = self._ends, None
        for each in ends or ():
            os.close(each)

    def fileno(self) -> int:
        """Return what the loop watches."""
        return self._open[0]

    def defer(self, call: Callable[..., object], *arguments: Any) -> None:
        """Have the loop call something; from any thread, or a signal handler."""
        self._calls.append(partial(call, *arguments))
        if not self._rung:
            self._rung = True
            with suppress(BlockingIOError):  # full, so the loop will look
                os.write(self._open[1], b"\0")

    def run_callbacks(self, _: object) -> None:
        """Make the calls that wait; those that come meanwhile wake the loop again."""
        with suppress(BlockingIOError):
            os.read(self._open[0], 64)
        self._rung = False  # before the count: what is not in it has rung
        for _ in range(len(self._calls)):
            try:
                self._calls.popleft()()
            except Exception:
                log.exception("A call of the event loop failed")

    @property
    def _open(self) -> tuple[int, int]:
        if self._ends is None:
            raise ValueError("the calls of this loop are not open")
        return self._ends
