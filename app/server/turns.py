"""Turns: however many requests one caller has, few of them are on threads at a time."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.server import refused
from app.server.connection import Connection
from app.server.refused import Refused

PATIENCE = 10.0  # seconds until a request is told that its turn has not come
SHARE = 8  # of so many request threads a caller has one
LEAST = 2  # that he has however few there are, as long as one is left to others
TICK = 0.5  # seconds between two looks at who has waited for too long
Namer = Callable[[str, Sequence[tuple[str, str]], Any], str | None]


def places(threads: int) -> int:
    """Tell how many of the request threads, two or more, one caller may have."""
    return min(threads - 1, max(LEAST, threads // SHARE))


@dataclass(slots=True)
class Line:
    """One caller's requests."""

    inside: int = 0  # that are on a thread, or have been given to one
    waiting: deque[Connection] = field(default_factory=deque)  # first come, first out


class Turns:
    """Gives each caller a few threads; what he asks for beyond waits here for a turn.

    Waiting costs no thread and no share of the interpreter, for which the requests of
    all others would have to wait. The event loop's thread alone calls this.

    Args:
        most: requests of one caller that may be inside at once.
        begin: gives a connection, with its request, to a thread.
        refuse: answers in the place of a thread.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        most: int,
        *,
        begin: Callable[[Connection], None],
        refuse: Callable[[Connection, Refused], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most, self._begin, self._refuse = most, begin, refuse
        self._clock = clock
        self._lines: dict[str, Line] = {}
        self._inside: dict[Connection, str] = {}
        self._next_tick = 0.0

    def come(self, conn: Connection, caller: str | None) -> None:
        """Begin a request, or have it wait; one without a caller needs no turn."""
        if caller is None:
            self._begin(conn)
            return
        line = self._lines.setdefault(caller, Line())
        if line.inside >= self._most:
            line.waiting.append(conn)
            return
        line.inside += 1
        self._let_in(conn, caller)

    def leave(self, conn: Connection) -> None:
        """Give a turn to the next, if this connection's request has one still."""
        caller = self._inside.pop(conn, None)
        if caller is None:
            return
        line = self._lines[caller]
        if line.waiting:
            self._let_in(line.waiting.popleft(), caller)
            return
        line.inside -= 1
        if not line.inside:
            del self._lines[caller]

    def tick(self) -> None:
        """Tell those who have waited for too long."""
        now = self._clock()
        if now < self._next_tick:
            return
        self._next_tick = now + TICK
        for line in self._lines.values():
            while line.waiting and line.waiting[0].since <= now - PATIENCE:
                self._refuse(line.waiting.popleft(), refused.too_many())

    def _let_in(self, conn: Connection, caller: str) -> None:
        self._inside[conn] = caller
        self._begin(conn)
