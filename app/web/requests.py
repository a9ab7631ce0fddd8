"""What every request has: an id, a place in the metrics, careful headers."""

import re
import time
from collections.abc import Callable, Mapping
from ipaddress import ip_address
from typing import Any

from flask import Flask, Response, g, request

from app.domain import ids
from app.domain.audit import Source
from app.telemetry import logs
from app.web.entrance import Visitor
from app.web.services import services

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
NOTHING = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
CAREFUL = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": NOTHING,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
READABLE = ("Location", "Retry-After", "X-Request-Id")  # by pages of other origins
BARE = frozenset({"CONTENT_TYPE", "CONTENT_LENGTH"})  # headers without HTTP_
HTTPS_ONLY = "max-age=31536000"  # seconds: a year


def install(app: Flask) -> None:
    """Do this around every request."""
    app.before_request(_begin)
    app.after_request(_end)
    app.teardown_request(_forget)


def client() -> int | None:
    """Return the descriptor of the caller's socket, if the server tells it."""
    return socket_of(request.environ)


def socket_of(environ: Mapping[str, Any]) -> int | None:
    """Return the descriptor of the socket by which a request came, if it is told."""
    found = environ.get("gunicorn.socket")
    return None if found is None else int(found.fileno())


def leave() -> None:
    """Let the next request of the same caller begin: this one only waits from now."""
    tell: Callable[[], None] | None = request.environ.get("sluice.leave")
    if tell:
        tell()


def headers_of(environ: Mapping[str, Any]) -> dict[str, str]:
    """Return the headers of a request, their names in lower case.

    The server has joined what came twice.
    """
    return {
        name.removeprefix("HTTP_").replace("_", "-").lower(): value
        for name, value in environ.items()
        if (name.startswith("HTTP_") and name[5:] not in BARE)
        or (name in BARE and value)
    }


def source() -> Source:
    """Return where the request came from, through as many proxies as are believed.

    A believed header may still hold anything; what is no address is not repeated.
    """
    try:
        address = str(ip_address(request.remote_addr or ""))
    except ValueError:
        return Source(None, g.request_id)
    return Source(address, g.request_id)


def visitor() -> Visitor:
    """Return the client that calls."""
    return Visitor(source=source(), agent=request.headers.get("User-Agent", ""))


def id_of(given: str) -> str:
    """Return the id that a client gives its request, or a new one."""
    return given if REQUEST_ID.fullmatch(given) else ids.new("req")


def dress(response: Response, request_id: str, *, is_https: bool) -> None:
    """Add what every answer carries."""
    response.headers["X-Request-Id"] = request_id
    response.vary.add("Origin")
    for name, value in CAREFUL.items():
        response.headers.setdefault(name, value)
    if is_https:
        response.headers["Strict-Transport-Security"] = HTTPS_ONLY


def fields(
    headers: Mapping[str, str], request_id: str, size: int, *, is_https: bool
) -> list[tuple[str, str]]:
    """List the headers of an answer of `size` bytes that goes past Flask."""
    told = {
        **CAREFUL,
        **headers,
        "X-Request-Id": request_id,
        "Vary": "Origin",
        "Content-Length": str(size),
    }
    if is_https:
        told["Strict-Transport-Security"] = HTTPS_ONLY
    return [*told.items()]


def _begin() -> None:
    g.request_id = id_of(request.headers.get("X-Request-Id", ""))
    g.started = time.monotonic()
    logs.clear()
    logs.bind(request_id=g.request_id)


def _end(response: Response) -> Response:
    is_https = request.is_secure or services().is_https
    dress(response, g.request_id, is_https=is_https)
    route = request.url_rule.rule if request.url_rule else "unmatched"
    method = request.method if request.method in METHODS else "other"
    seconds = time.monotonic() - g.started
    services().metrics.http_request(route, method, response.status_code, seconds)
    return response


def _forget(_: BaseException | None) -> None:
    logs.clear()
