"""How one connection moves from phase to phase, without ever blocking the loop."""

import logging
import math
import selectors
import socket
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from app.server import refused
from app.server.connection import Connection, Phase
from app.server.framer import header
from app.server.limits import Limits
from app.server.refused import Refused
from app.server.tally import Tally

log = logging.getLogger(__name__)
PIECE = 65536  # bytes read at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Seams:
    """Where connections go to.

    Args:
        serve: gives a connection, with its request, to a thread.
        gone: told of each connection that was closed.
        clock: seconds, monotonic.
    """

    serve: Callable[[Connection], None]
    gone: Callable[[Connection], None]
    clock: Callable[[], float]


class Passage:
    """Reads requests, sends what slow readers left, lingers and closes.

    Only the event loop's thread calls it.

    Args:
        poller: where sockets are watched.
        limits: times and sizes; may be replaced by others later.
        seams: where connections go to.
        tally: told what was refused.
    """

    def __init__(
        self,
        poller: selectors.BaseSelector,
        *,
        limits: Limits,
        seams: Seams,
        tally: Tally,
    ) -> None:
        self.limits = limits
        self._poller, self._seams, self._tally = poller, seams, tally
        self._clock = seams.clock
        self._steps = {
            Phase.READING: self._read,
            Phase.WRITING: self._flush,
            Phase.LINGERING: self._swallow,
        }

    def begin(self, conn: Connection) -> None:
        """Wait for the first request of a connection that was just accepted."""
        self._await(conn, Phase.READING, self.limits.read)

    def answered(self, conn: Connection, *, keep: bool) -> None:
        """Go on with a connection whose request a thread has served."""
        conn.request, conn.keep = None, keep
        conn.framer.forget()
        conn.count()
        self._guarded(conn, self._send_rest)

    def refuse(self, conn: Connection, reason: Refused) -> None:
        """Answer a whole request that no thread will see."""
        offered = header(conn.request, "X-REQUEST-ID")
        self._tell(conn, reason, offered, bodiless=conn.request.method == "HEAD")
        self.answered(conn, keep=False)

    def expire(self, conn: Connection) -> None:
        """End a phase that has lasted too long."""
        late = conn.phase is Phase.READING and not conn.framer.idle
        self._guarded(conn, self._time_out if late else self.drop)

    def drop(self, conn: Connection) -> None:
        """Close without a word."""
        self._unwatch(conn)
        conn.close()
        self._seams.gone(conn)

    def _await(self, conn: Connection, phase: Phase, seconds: float) -> None:
        """Watch the socket for what the phase waits for, `seconds` at most."""
        conn.phase, conn.since = phase, self._clock()
        conn.deadline = conn.since + seconds
        writing = phase is Phase.WRITING
        self._watch(conn, selectors.EVENT_WRITE if writing else selectors.EVENT_READ)

    def _watch(self, conn: Connection, events: int) -> None:
        if conn.watched == events:
            return
        watch = self._poller.modify if conn.watched else self._poller.register
        watch(conn.sock, events, partial(self._on_event, conn))
        conn.watched = events

    def _unwatch(self, conn: Connection) -> None:
        if conn.watched:
            self._poller.unregister(conn.sock)
            conn.watched = 0

    def _on_event(self, conn: Connection, _: socket.socket) -> None:
        step = self._steps.get(conn.phase)
        if step:
            self._guarded(conn, step)
        else:  # served, or closed by an earlier event of the same poll
            self._unwatch(conn)

    def _guarded(self, conn: Connection, step: Callable[[Connection], None]) -> None:
        """Move one connection on; nothing that goes wrong may touch the others."""
        try:
            step(conn)
        except OSError:  # reset, Gone included
            self.drop(conn)
        except Exception:
            log.exception("A connection was closed because its handling failed")
            self.drop(conn)

    def _read(self, conn: Connection) -> None:
        data = _received(conn.sock)
        if data is None:
            return
        if not data:
            self.drop(conn)  # a request cut short is never run
            return
        if conn.framer.idle and conn.keep:
            conn.deadline = self._clock() + self.limits.read
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
        """Hand a request on; few clients send or leave before it is answered.

        So the socket stays watched until one does: a kept connection costs the
        poller no call.
        """
        conn.phase, conn.since, conn.deadline = Phase.SERVING, self._clock(), math.inf
        conn.request = request
        self._seams.serve(conn)

    def _time_out(self, conn: Connection) -> None:
        self._refuse(conn, refused.too_slow(self.limits.read))

    def _refuse(self, conn: Connection, reason: Refused) -> None:
        framer = conn.framer
        self._tell(conn, reason, framer.offered_id, bodiless=framer.bodiless)
        conn.clear()
        self._linger(conn)

    def _tell(
        self, conn: Connection, reason: Refused, offered: str | None, *, bodiless: bool
    ) -> None:
        request_id = refused.request_id(offered)
        self._tally.refuse(reason, request_id)
        conn.outlet.try_send(
            refused.answer(reason, request_id=request_id, bodiless=bodiless)
        )

    def _send_rest(self, conn: Connection) -> None:
        if conn.outlet.pending:
            self._await(conn, Phase.WRITING, self.limits.write)
        else:
            self._settle(conn)

    def _flush(self, conn: Connection) -> None:
        if conn.outlet.flush():
            conn.deadline = self._clock() + self.limits.write
        if not conn.outlet.pending:
            self._settle(conn)

    def _settle(self, conn: Connection) -> None:
        """Read on, or close, now that everything is sent."""
        if not conn.keep:
            self._linger(conn)
        elif conn.framer.idle:
            self._await(conn, Phase.READING, self.limits.idle)
        else:
            self._await(conn, Phase.READING, self.limits.read)
            self._feed(conn, b"")

    def _linger(self, conn: Connection) -> None:
        """Close as RFC 9112 section 9.6 asks: say so, then wait until it is read."""
        if conn.half_close():
            self._await(conn, Phase.LINGERING, self.limits.linger)
        else:
            self.drop(conn)

    def _swallow(self, conn: Connection) -> None:
        data = _received(conn.sock)
        if data is None:
            return
        conn.discarded += len(data)
        if not data or conn.discarded > self.limits.max_lingered:
            self.drop(conn)


def _received(sock: socket.socket) -> bytes | None:
    """Read what is there: None if nothing is, empty if nothing will come."""
    try:
        return sock.recv(PIECE)
    except (BlockingIOError, InterruptedError):
        return None
