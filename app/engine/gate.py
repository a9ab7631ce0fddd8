"""One execution computes at a time; the others wait for their turn."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SLICE = 0.005  # seconds of a turn, if another waits
PATIENCE = 1.0  # seconds; whoever has waited for longer computes beside the others


class Gate:
    """Turns at computing, in the order of arrival.

    Python runs one thread at a time, and each that computes asks for its share: next to
    ten of them an answer took a third of a second. Next to this gate it waits for one.

    It is a courtesy and no lock: nothing relies on being alone, and a turn that does
    not end holds up nobody for longer than `PATIENCE`.
    """

    def __init__(
        self,
        *,
        patience: float = PATIENCE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._patience, self._clock = patience, clock
        self._lock = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._inside = 0
        self._since = 0.0  # when the last turn began

    @property
    def waiting(self) -> int:
        """How many wait for a turn."""
        return len(self._waiting)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Compute; wait for a turn first."""
        self._enter()
        try:
            yield
        finally:
            self._leave()

    @contextmanager
    def left(self) -> Iterator[None]:
        """Wait for something while others compute; for who holds it."""
        self._leave()
        try:
            yield
        finally:
            self._enter()

    def rest(self) -> None:
        """Let others compute, if one waits and this turn has been long enough."""
        if self._waiting and self._clock() - self._since >= SLICE:
            self._leave()
            self._enter()

    def _enter(self) -> None:
        with self._lock:
            turn = self._turn()
        if turn is not None and not turn.acquire(timeout=self._patience):
            self._push_in(turn)
        self._since = self._clock()

    def _turn(self) -> "threading.Lock | None":
        """Queue for a turn, unless it can be had at once."""
        if not self._inside:
            self._inside = 1
            return None
        turn = threading.Lock()
        turn.acquire()
        self._waiting.append(turn)
        return turn

    def _push_in(self, turn: threading.Lock) -> None:
        with self._lock:
            if turn in self._waiting:  # else it was handed over at the last moment
                self._waiting.remove(turn)
                self._inside += 1

    def _leave(self) -> None:
        with self._lock:
            self._inside -= 1
            if self._waiting and not self._inside:
                self._inside = 1
                self._waiting.popleft().release()
