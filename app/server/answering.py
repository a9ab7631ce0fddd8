"""What a request thread does: run the application and send what it answers."""

import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from gunicorn.http import wsgi

from app.server import refused
from app.server.connection import Connection
from app.server.framer import header
from app.server.outlet import Gone

log = logging.getLogger(__name__)
App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def answer(
    conn: Connection,
    app: App,
    *,
    cfg: Any,
    is_ending: Callable[[], bool],
    leave: Callable[[], None],
) -> bool:
    """Serve the request of a connection.

    Args:
        conn: its request is whole, so nothing here waits for the client to send.
        app: the WSGI application.
        cfg: gunicorn's configuration.
        is_ending: whether the process takes no further requests.
        leave: the application may call this when all that it does from then on is
            wait; the turn goes to its caller's next request.

    Returns:
        Whether the connection may be used for another request.
    """
    response, environ = wsgi.create(
        conn.request, conn.outlet, conn.client, conn.server, cfg
    )
    environ["wsgi.multithread"] = True
    environ["sluice.leave"] = leave
    try:
        _run(app, environ, response, is_ending)
    except Gone:
        return False
    except (Exception, SystemExit):
        request_id = refused.request_id(header(conn.request, "X-REQUEST-ID"))
        log.exception("The application failed", extra={"request_id": request_id})
        if not response.headers_sent:
            _apologize(conn, request_id)
        return False
    return not response.should_close()


def _run(
    app: App, environ: dict[str, Any], response: Any, is_ending: Callable[[], bool]
) -> None:
    pieces = app(environ, response.start_response)
    try:
        if is_ending():  # asked late: the header is sent with the first piece
            response.force_close()
        for piece in pieces:
            response.write(piece)
        response.close()
    finally:
        close: Callable[[], None] | None = getattr(pieces, "close", None)
        if close:
            close()


def _apologize(conn: Connection, request_id: str) -> None:
    """Answer 500 in place of an application that did not begin to answer."""
    bodiless = conn.request.method == "HEAD"
    reply = refused.answer(refused.failed(), request_id=request_id, bodiless=bodiless)
    with suppress(Gone):
        conn.outlet.sendall(reply)
