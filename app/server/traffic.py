"""Every open connection of a worker: who may come, and who must go."""

import selectors
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from app.server.connection import Connection, Phase
from app.server.framer import Framer
from app.server.limits import Limits
from app.server.outlet import Budget, Outlet
from app.server.passage import Passage, Seams
from app.server.refused import Refused
from app.server.tally import Tally

TICK = 0.1  # seconds between two looks at the deadlines


class Traffic:
    """The connections of an event loop, whose thread alone calls this.

    Args:
        poller: where sockets are watched.
        limits: times and sizes.
        parse: makes gunicorn's request of a head and the client's address.
        serve: gives a connection, with its request, to a thread; `answered` takes
            it back.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        poller: selectors.BaseSelector,
        *,
        limits: Limits,
        parse: Callable[[bytes, Any], Any],
        serve: Callable[[Connection], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limits, self._parse, self._clock = limits, parse, clock
        self.tally = Tally(clock)
        self.received = Budget(limits.received)
        self.unsent = Budget(limits.unsent)
        self._open: dict[Connection, None] = {}
        self._next_tick = 0.0
        seams = Seams(serve=serve, gone=self._forget, clock=clock)
        self._passage = Passage(poller, limits=limits, seams=seams, tally=self.tally)
        self.answered = self._passage.answered

    def __len__(self) -> int:
        return len(self._open)

    @property
    def serving(self) -> int:
        """Requests that wait for a thread or have one."""
        return sum(each.phase is Phase.SERVING for each in self._open)

    @property
    def has_room(self) -> bool:
        """Whether another connection may come, in the place of an idle one if full."""
        return len(self._open) < self._limits.connections or bool(self._evictable())

    def admit(self, sock: socket.socket, client: Any, server: Any) -> None:
        """Take a connection that was just accepted, in an idle one's place if full."""
        if len(self._open) >= self._limits.connections:
            self._evict()
        conn = self._connection(sock, client, server)
        self._open[conn] = None
        self._passage.begin(conn)

    def refuse(self, conn: Connection, reason: Refused) -> None:
        """Answer a whole request that no thread will see."""
        self._passage.refuse(conn, reason)

    def tick(self) -> None:
        """End what has lasted too long."""
        now = self._clock()
        if now < self._next_tick:
            return
        self._next_tick = now + TICK
        for conn in [each for each in self._open if each.deadline <= now]:
            self._passage.expire(conn)
        self.tally.tick()

    def hush(self, seconds: float) -> None:
        """Grant idle connections `seconds` from now on, because the process ends."""
        limits = self._passage.limits
        self._passage.limits = replace(limits, idle=min(seconds, limits.idle))
        latest = self._clock() + seconds
        for conn in self._open:
            if conn.idle:
                conn.deadline = min(conn.deadline, latest)

    def abandon(self) -> int:
        """Close what is left, and count it; threads keep what they are answering."""
        left = [each for each in self._open if each.phase is not Phase.SERVING]
        for conn in left:
            self._passage.drop(conn)
        return len(left)

    def _connection(self, sock: socket.socket, client: Any, server: Any) -> Connection:
        limits = self._limits
        return Connection(
            sock,
            (client, server),
            framer=Framer(lambda head: self._parse(head, client), limits),
            outlet=Outlet(
                sock, self.unsent, room=limits.max_unsent, patience=limits.write
            ),
            budget=self.received,
        )

    def _forget(self, conn: Connection) -> None:
        self._open.pop(conn, None)

    def _evict(self) -> None:
        """Close the connection that has been idle for longest, if there is one."""
        idle = self._evictable()
        if idle:
            self._passage.drop(min(idle, key=lambda each: each.since))
            self.tally.evicted += 1

    def _evictable(self) -> list[Connection]:
        """Find idle connections, but for those whose client may be sending already."""
        latest = self._clock() - self._limits.unhurried
        return [each for each in self._open if each.idle and each.since <= latest]
