"""Reading request bodies: the exact bytes, up to the limit, or why not."""

from typing import Any

from gunicorn.http.errors import ParseException
from werkzeug.wsgi import get_content_length

from app.web import problems
from app.web.problems import Problem

BROKEN = "The body broke off or is not framed as HTTP/1.1 asks; send it again."


def read(environ: dict[str, Any], limit: int) -> bytes | Problem:
    """Read the body of a WSGI request, chunked or not, never cut short.

    Werkzeug's own limit would end a chunked body silently at the limit, so the
    stream is read here: one byte more than the limit tells that it is too large.
    """
    declared = get_content_length(environ)
    if declared is None and not environ.get("wsgi.input_terminated"):
        return b""
    if declared is not None and declared > limit:
        return problems.too_large(limit)
    try:
        body = _read(environ["wsgi.input"], limit + 1 if declared is None else declared)
    except (OSError, ParseException):
        return problems.malformed(BROKEN)
    if len(body) > limit:
        return problems.too_large(limit)
    if declared is not None and len(body) < declared:
        return problems.malformed(BROKEN)
    return body


def _read(stream: Any, wanted: int) -> bytes:
    parts = []
    while wanted > 0 and (part := stream.read(wanted)):
        parts.append(part)
        wanted -= len(part)
    return b"".join(parts)
