"""Answers of the event loop itself: problem documents (RFC 9457), ready to send."""

import json
import re
import uuid
from email.utils import formatdate
from http import HTTPStatus

from gunicorn.http import errors

LATER = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")

_BY_PARSER: tuple[tuple[type[Exception], int, str, str], ...] = (
    (
        errors.LimitRequestLine,
        414,
        "uri-too-long",
        "The request line is too long; shorten the path or the query.",
    ),
    (
        errors.LimitRequestHeaders,
        431,
        "headers-too-large",
        "The header has too many fields, or one is too long; send fewer and shorter.",
    ),
    (
        errors.UnsupportedTransferCoding,
        501,
        "transfer-coding",
        "The transfer coding is not known here; send chunked or a Content-Length.",
    ),
    (
        errors.ExpectationFailed,
        417,
        "expectation-failed",
        "The expectation cannot be met; only 100-continue is known here.",
    ),
    (
        errors.InvalidRequestMethod,
        400,
        "malformed-request",
        "The method is not valid; expected 3 to 20 capital letters such as POST.",
    ),
    (
        errors.InvalidHTTPVersion,
        400,
        "malformed-request",
        "The protocol version is not spoken here; expected HTTP/1.1 or HTTP/1.0.",
    ),
    (
        errors.InvalidRequestLine,
        400,
        "malformed-request",
        "The request line is not valid; expected a method, a target and a version.",
    ),
    (
        errors.ObsoleteFolding,
        400,
        "malformed-request",
        "A header field goes on in a second line; write it in one.",
    ),
)
_OTHERWISE = (
    "A header field is not valid or contradicts another; check its name, Host,"
    " Content-Length and Transfer-Encoding."
)


class Refused(Exception):
    """A request that no thread will see, and why.

    Args:
        status: of the answer.
        code: stable slug, the last part of the problem's `type`.
        detail: what was found, what was expected, what to do; nothing of the request.
    """

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail

    @classmethod
    def by_parser(cls, error: Exception) -> "Refused":
        """Translate what gunicorn's parser raised about a head."""
        for kind, status, code, detail in _BY_PARSER:
            if isinstance(error, kind):
                return cls(status, code, detail)
        return cls(400, "malformed-request", _OTHERWISE)


def malformed(detail: str) -> Refused:
    """Refuse what is no HTTP request."""
    return Refused(400, "malformed-request", detail)


def too_large(limit: int) -> Refused:
    """Refuse a body with more than `limit` bytes."""
    detail = f"The body is larger than the limit of {limit} bytes; send less."
    return Refused(413, "too-large", detail)


def too_slow(seconds: float) -> Refused:
    """Refuse a request that did not arrive in time."""
    detail = f"The request did not arrive within {seconds:g} seconds; send it faster."
    return Refused(408, "request-timeout", detail)


def too_busy() -> Refused:
    """Refuse because other requests fill the memory set aside for them."""
    detail = "Too many large requests are arriving at once; try again in a second."
    return Refused(503, "busy", detail)


def too_many() -> Refused:
    """Refuse because a caller's earlier requests have taken all of his turns."""
    detail = "Too many of your requests wait for a turn; send fewer at a time."
    return Refused(429, "too-many-at-once", detail)


def too_late() -> Refused:
    """Refuse because what a request asks for was not stored in time."""
    detail = "The store did not commit the event in time; send it again."
    return Refused(503, "too-late", detail)


def failed() -> Refused:
    """Answer for an application that did not."""
    detail = "Something failed on our side; the log names the cause by request_id."
    return Refused(500, "internal", detail)


def request_id(offered: str | None = None) -> str:
    """Take over a client's X-Request-Id if it is harmless, else make one."""
    if offered is not None and REQUEST_ID.fullmatch(offered):
        return offered
    return f"req_{uuid.uuid4().hex}"


def answer(refused: Refused, *, request_id: str, bodiless: bool = False) -> bytes:
    """Write the whole HTTP answer, after which the connection is closed.

    Args:
        refused: what to say.
        request_id: names the request in the answer and in the log.
        bodiless: the method was HEAD, so that only the header may be sent.
    """
    title = HTTPStatus(refused.status).phrase
    document = {
        "type": f"/problems/{refused.code}",
        "title": title,
        "status": refused.status,
        "detail": refused.detail,
        "request_id": request_id,
        "errors": [],
    }
    body = json.dumps(document).encode()
    lines = [
        f"HTTP/1.1 {refused.status} {title}",
        f"Date: {formatdate(usegmt=True)}",
        "Connection: close",
        "Cache-Control: no-store",
        "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'",
        "Referrer-Policy: no-referrer",
        "X-Content-Type-Options: nosniff",
        "Content-Type: application/problem+json",
        f"Content-Length: {len(body)}",
        f"X-Request-Id: {request_id}",
    ]
    if refused.status in LATER:
        lines.append("Retry-After: 1")
    head = "\r\n".join([*lines, "", ""]).encode()
    return head if bodiless else head + body
