"""Every open connection of a worker, moved on by the event loop."""

import logging
import math
import selectors
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from app.server import refused
from app.server.connection import Connection, Phase
from app.server.framer import Framer
from app.server.limits import Limits
from app.server.outlet import Budget, Outlet
from app.server.refused import Refused
from app.server.tally import Tally

log = logging.getLogger(__name__)
PIECE = 65536  # bytes read at once
TICK = 0.1  # seconds between two looks at the deadlines


@dataclass(frozen=True, slots=True, kw_only=True)
class Seams:
    """What the event loop needs of gunicorn.

    Args:
        parse: makes gunicorn's request of a head and the client's address.
        serve: gives a connection, with its request, to a thread.
    """

    parse: Callable[[bytes, Any], Any]
    serve: Callable[[Connection], None]


class Traffic:
    """Reads requests, sends what slow readers left, and closes, all without blocking.

    Only the event loop's thread calls it. Each connection is in one `Phase` and has
    a deadline for it, which `tick` enforces.

    Args:
        poller: where sockets are watched.
        limits: times and sizes.
        seams: how whole requests go on.
        tally: told what was refused.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        poller: selectors.BaseSelector,
        *,
        limits: Limits,
        seams: Seams,
        tally: Tally,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._poller, self._limits, self._seams = poller, limits, seams
        self._tally, self._clock = tally, clock
        self.received = Budget(limits.received)
        self.unsent = Budget(limits.unsent)
        self._next_tick = 0.0
        self._open: dict[Connection, None] = {}
        self._steps = {
            Phase.READING: self._read,
            Phase.WRITING: self._flush,
            Phase.LINGERING: self._swallow,
        }

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
        parse = self._seams.parse
        conn = Connection(
            sock,
            (client, server),
            framer=Framer(lambda head: parse(head, client), self._limits),
            outlet=Outlet(
                sock,
                self.unsent,
                room=self._limits.max_unsent,
                patience=self._limits.write,
            ),
            budget=self.received,
        )
        conn.on_event = partial(self._on_event, conn)
        self._open[conn] = None
        self._await(conn, Phase.READING, self._limits.read)

    def answered(self, conn: Connection, *, keep: bool) -> None:
        """Go on with a connection whose request a thread has served.

        Args:
            conn: in phase SERVING.
            keep: whether another request may follow on it.
        """
        conn.request, conn.keep = None, keep
        conn.framer.forget()
        conn.count()
        self._guarded(conn, self._send_rest)

    def tick(self) -> None:
        """End what has lasted too long."""
        now = self._clock()
        if now < self._next_tick:
            return
        self._next_tick = now + TICK
        for conn in [each for each in self._open if each.deadline <= now]:
            if conn.phase is Phase.READING and not conn.framer.idle:
                self._guarded(conn, self._time_out)
            else:
                self._drop(conn)

    def hush(self, seconds: float) -> None:
        """Grant idle connections `seconds` from now on, because the process ends."""
        self._limits = replace(self._limits, idle=min(seconds, self._limits.idle))
        latest = self._clock() + seconds
        for conn in self._open:
            if conn.idle:
                conn.deadline = min(conn.deadline, latest)

    def abandon(self) -> int:
        """Close what is left, and count it; threads keep what they are answering."""
        left = [each for each in self._open if each.phase is not Phase.SERVING]
        for conn in left:
            self._drop(conn)
        return len(left)

    def _evict(self) -> None:
        """Close the connection that has been idle for longest, if there is one."""
        idle = self._evictable()
        if idle:
            self._drop(min(idle, key=lambda each: each.since))
            self._tally.evicted += 1

    def _evictable(self) -> list[Connection]:
        """Find idle connections, but for those whose client may be sending already."""
        latest = self._clock() - self._limits.unhurried
        return [each for each in self._open if each.idle and each.since <= latest]

    def _await(self, conn: Connection, phase: Phase, seconds: float) -> None:
        """Watch the socket for what the phase waits for, `seconds` at most."""
        conn.phase, conn.since = phase, self._clock()
        conn.deadline = conn.since + seconds
        writing = phase is Phase.WRITING
        events = selectors.EVENT_WRITE if writing else selectors.EVENT_READ
        watch = self._poller.modify if conn.watched else self._poller.register
        watch(conn.sock, events, conn.on_event)
        conn.watched = True

    def _unwatch(self, conn: Connection) -> None:
        if conn.watched:
            self._poller.unregister(conn.sock)
            conn.watched = False

    def _on_event(self, conn: Connection, _: socket.socket) -> None:
        step = self._steps.get(conn.phase)
        if conn in self._open and step:  # not closed by an event of the same poll
            self._guarded(conn, step)

    def _guarded(self, conn: Connection, step: Callable[[Connection], None]) -> None:
        """Move one connection on; nothing that goes wrong may touch the others."""
        try:
            step(conn)
        except OSError:  # reset, Gone included
            self._drop(conn)
        except Exception:
            log.exception("A connection was closed because its handling failed")
            self._drop(conn)

    def _read(self, conn: Connection) -> None:
        data = _received(conn.sock)
        if data is None:
            return
        if not data:
            self._drop(conn)  # a request cut short is never run
            return
        if conn.framer.idle and conn.keep:
            conn.deadline = self._clock() + self._limits.read
        self._feed(conn, data)

    def _feed(self, conn: Connection, data: bytes) -> None:
        try:
            request = conn.framer.feed(data)
            if not conn.count():
                raise refused.too_busy()
        except Refused as reason:
            self._refuse(conn, reason)
            return
        if request is not None:
            self._serve(conn, request)
        elif conn.framer.take_expectation():
            conn.outlet.try_send(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _serve(self, conn: Connection, request: Any) -> None:
        self._unwatch(conn)
        conn.phase, conn.since, conn.deadline = Phase.SERVING, self._clock(), math.inf
        conn.request = request
        self._seams.serve(conn)

    def _time_out(self, conn: Connection) -> None:
        self._refuse(conn, refused.too_slow(self._limits.read))

    def _refuse(self, conn: Connection, reason: Refused) -> None:
        request_id = refused.request_id(conn.framer.offered_id)
        self._tally.refuse(reason, request_id)
        bodiless = conn.framer.bodiless
        conn.outlet.try_send(
            refused.answer(reason, request_id=request_id, bodiless=bodiless)
        )
        conn.clear()
        self._linger(conn)

    def _send_rest(self, conn: Connection) -> None:
        if conn.outlet.pending:
            self._await(conn, Phase.WRITING, self._limits.write)
        else:
            self._settle(conn)

    def _settle(self, conn: Connection) -> None:
        """Read on, or close, now that everything is sent."""
        if not conn.keep:
            self._linger(conn)
        elif conn.framer.idle:
            self._await(conn, Phase.READING, self._limits.idle)
        else:
            self._await(conn, Phase.READING, self._limits.read)
            self._feed(conn, b"")

    def _linger(self, conn: Connection) -> None:
        """Close as RFC 9112 section 9.6 asks: say so, then wait until it is read."""
        if conn.half_close():
            self._await(conn, Phase.LINGERING, self._limits.linger)
        else:
            self._drop(conn)

    def _flush(self, conn: Connection) -> None:
        if conn.outlet.flush():
            conn.deadline = self._clock() + self._limits.write
        if not conn.outlet.pending:
            self._settle(conn)

    def _swallow(self, conn: Connection) -> None:
        data = _received(conn.sock)
        if data is None:
            return
        conn.discarded += len(data)
        if not data or conn.discarded > self._limits.max_lingered:
            self._drop(conn)

    def _drop(self, conn: Connection) -> None:
        self._unwatch(conn)
        self._open.pop(conn, None)
        conn.clear()
        conn.sock.close()


def _received(sock: socket.socket) -> bytes | None:
    """Read what is there: None if nothing is, empty if nothing will come."""
    try:
        return sock.recv(PIECE)
    except (BlockingIOError, InterruptedError):
        return None
