"""Tells over HTTP how a worker is: `/health/live`, `/health/ready`, `/metrics`."""

import json
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

from app.domain.errors import ServiceError
from app.security import tokens

Page = tuple[int, str, bytes]  # status, content type, body
POLL = 0.05  # seconds until a stop is noticed
WELL = (200, "application/json", b'{"status":"ok"}')


class Health:
    """What a worker tells of itself.

    Args:
        check: raises a `ServiceError` unless work can be taken and recorded.
        metrics: gives the text exposition and its content type.
        token: what `/metrics` asks for; none: nothing.
        hidden: whether there are no metrics without a token.
    """

    def __init__(
        self,
        check: Callable[[], None],
        metrics: Callable[[], tuple[bytes, str]],
        *,
        token: str | None,
        hidden: bool,
    ) -> None:
        self._check, self._metrics = check, metrics
        self._token, self._hidden = token, hidden

    def page(self, path: str, authorization: str) -> Page:
        """Answer one request."""
        match path.partition("?")[0]:
            case "/health" | "/health/live":
                return WELL
            case "/health/ready":
                return self._ready()
            case "/metrics" if self._may_read(authorization):
                text, kind = self._metrics()
                return 200, kind, text
        return _problem(404, "not-found", "A worker answers /health/* and /metrics.")

    def _ready(self) -> Page:
        try:
            self._check()
        except ServiceError as error:
            return _problem(503, error.code, str(error))
        return WELL

    def _may_read(self, authorization: str) -> bool:
        if self._token is None:
            return not self._hidden
        return tokens.same(authorization.partition(" ")[2], self._token)


def serve(health: Health, host: str, port: int) -> ThreadingHTTPServer:
    """Begin to answer, in a thread.

    Raises:
        OSError: the address cannot be used.
    """

    class Handler(BaseHTTPRequestHandler):
        timeout: ClassVar[float] = 5.0  # seconds for which a client may be silent

        def do_GET(self) -> None:
            asked = self.headers.get("Authorization", "")
            status, kind, body = health.page(self.path, asked)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing: it is asked every few seconds."""

    server = ThreadingHTTPServer((host, port), Handler)
    server.daemon_threads = True
    serving = threading.Thread(
        target=server.serve_forever, args=(POLL,), name="health", daemon=True
    )
    serving.start()
    return server


def _problem(status: int, code: str, detail: str) -> Page:
    document = {
        "type": f"/problems/{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    return status, "application/problem+json", json.dumps(document).encode()
