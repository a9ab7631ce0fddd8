"""Requests that the event loop takes itself: no thread waits for them or answers.

The application says which: it offers a `Taker`, whose work neither blocks nor waits.
Its reply comes later, from any thread, and is sent by the loop.
"""

import logging
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any, Protocol

from gunicorn import SERVER
from gunicorn.http import wsgi
from gunicorn.util import http_date

from app.server import refused
from app.server.connection import Connection
from app.server.framer import header
from app.server.outlet import Gone

log = logging.getLogger(__name__)
LARGEST = 64 << 10  # bytes of a body
PATIENCE = 10.0  # seconds until somebody is told that no reply came
HELD = 64  # replies that may be held back at a time
Fields = list[tuple[str, str]]


class Reply(Protocol):
    """What an application calls to answer."""

    def __call__(
        self, status: str, fields: Fields, body: bytes, /, *, after: float = 0.0
    ) -> None:
        """Send an answer, not before `after` seconds if others do not wait already.

        So whoever floods us, and waits for each answer, comes again later. From the
        event loop's thread only, unless `after` is 0.
        """


class Taker(Protocol):
    """What an application offers that answers some requests without a thread."""

    def __call__(self, environ: dict[str, Any], reply: Reply, /) -> bool:
        """Take a request, whose answer is given to `reply` once, from any thread.

        Neither blocks nor raises. Returns False, without having read the body, when
        the request needs a thread.
        """


class Swift:
    """The requests that wait for their reply; the event loop's thread alone calls it.

    Args:
        taker: of the application.
        paths: what those begin with that it may take.
        cfg: gunicorn's configuration.
        defer: has the event loop call something, from any thread.
        answered: told of each connection that was answered.
        is_ending: whether the process takes no further requests.
        clock: seconds, monotonic.
    """

    def __init__(  # noqa: PLR0913
        self,
        taker: Taker,
        *,
        paths: Sequence[str],
        cfg: Any,
        defer: Callable[..., None],
        answered: Callable[..., None],
        is_ending: Callable[[], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._taker, self._paths = taker, tuple(paths)
        self._cfg, self._defer = cfg, defer
        self._answered, self._is_ending, self._clock = answered, is_ending, clock
        self._waiting: OrderedDict[Connection, tuple[Any, float]] = OrderedDict()
        self._held: deque[tuple[float, Callable[[], None]]] = deque()
        self._thread = threading.get_ident()

    def take(self, conn: Connection) -> bool:
        """Take the request of a connection, unless it needs a thread."""
        request = conn.request
        if request.method != "POST" or not request.path.startswith(self._paths):
            return False
        if int(header(request, "CONTENT-LENGTH") or 0) > LARGEST:
            return False
        _, environ = wsgi.create(
            request, conn.outlet, conn.client, conn.server, self._cfg
        )
        environ["wsgi.multithread"] = True
        self._waiting[conn] = request, self._clock() + PATIENCE
        taken = self._taker(environ, partial(self._reply, conn, request))
        if not taken:
            del self._waiting[conn]
        return taken

    def tick(self) -> None:
        """Send what was held back, and tell who has waited for too long."""
        now = self._clock()
        while self._held and self._held[0][0] <= now:
            _, send = self._held.popleft()
            send()
        while self._waiting:
            conn, (_, latest) = next(iter(self._waiting.items()))
            if now < latest:
                return
            self._give_up(conn, refused.too_late())

    def _reply(  # noqa: PLR0913
        self,
        conn: Connection,
        request: Any,
        status: str,
        fields: Fields,
        body: bytes,
        *,
        after: float = 0.0,
    ) -> None:
        send = partial(self._send, conn, request, status, fields, body)
        if after and len(self._held) < HELD:
            self._held.append((self._clock() + after, send))
        elif threading.get_ident() == self._thread and conn.framer.idle:
            send()  # unless another request was sent ahead, which would nest
        else:
            self._defer(send)

    def _send(
        self,
        conn: Connection,
        request: Any,
        status: str,
        fields: Fields,
        body: bytes,
    ) -> None:
        waiting, _ = self._waiting.get(conn, (None, 0))
        if waiting is not request:
            return  # told already that it came too late
        keep = not (self._is_ending() or request.should_close())
        try:
            conn.outlet.sendall(written(status, fields, body, keep=keep))
        except Gone:
            keep = False
        except Exception:
            log.exception("An answer could not be sent")
            self._give_up(conn, refused.failed())
            return
        del self._waiting[conn]
        self._answered(conn, keep=keep)

    def _give_up(self, conn: Connection, why: refused.Refused) -> None:
        del self._waiting[conn]
        offered = header(conn.request, "X-REQUEST-ID")
        conn.outlet.try_send(
            refused.answer(why, request_id=refused.request_id(offered))
        )
        self._answered(conn, keep=False)


def written(status: str, fields: Fields, body: bytes, *, keep: bool) -> bytes:
    """Write an answer that has a body, with the header that gunicorn gives it.

    Args:
        status: as WSGI wants it.
        fields: its header, Content-Length among it.
        body: all of it.
        keep: whether another request may follow.

    Raises:
        ValueError: the header could not be told from what follows it.
    """
    lines = [
        f"HTTP/1.1 {status}",
        f"Server: {SERVER}",
        f"Date: {_date(int(time.time()))}",
        f"Connection: {'keep-alive' if keep else 'close'}",
        *(f"{name}: {value}" for name, value in fields),
    ]
    head = "\r\n".join(lines)
    if head.count("\n") >= len(lines) or head.count("\r") >= len(lines):
        raise ValueError("a header field holds the end of a line")
    return f"{head}\r\n\r\n".encode("latin-1") + body


@lru_cache(maxsize=1)
def _date(second: int) -> str:
    return str(http_date(second))
