"""Finds where a request ends in what a client sends; does no I/O."""

import io
from collections.abc import Callable
from string import ascii_letters, digits
from typing import Any

from app.server.chunks import Chunks
from app.server.limits import Limits
from app.server.refused import Refused, malformed, too_large

CRLF = b"\r\n"
HEAD_END = b"\r\n\r\n"
TLS_HANDSHAKE = 0x16
FIRST = frozenset(b"\r!#$%&'*+-.^_`|~" + (digits + ascii_letters).encode())
NOT_CHUNKED = (
    "Only chunked is known here as a transfer coding; send it alone, or a"
    " Content-Length."
)
NO_HOST = "The header has no Host field; HTTP/1.1 asks for one."

Request = Any  # gunicorn.http.message.Request, which has no types


class Framer:
    """What has arrived on one connection and is not answered yet.

    gunicorn's parser judges the head as soon as it is whole, so there is no second
    opinion about it. The body is cut here, and given to the request in memory with
    its length: no thread ever waits for a client's bytes.

    Args:
        parse: makes gunicorn's request of a head, up to its empty line.
        limits: of head and body.
    """

    def __init__(self, parse: Callable[[bytes], Request], limits: Limits) -> None:
        self._parse, self._limits = parse, limits
        self._buffer = bytearray()
        self._searched = 0  # where to look on for the end of the head
        self._request: Request = None
        self._expects = False  # whether the client waits for 100 Continue
        self._length = 0  # of a body with Content-Length
        self._chunks: Chunks | None = None
        self._delivered = 0  # bytes of the body that is being answered

    @property
    def idle(self) -> bool:
        """Whether no byte of another request has come (but for one empty line)."""
        return self._request is None and CRLF.startswith(self._buffer[:3])

    @property
    def held(self) -> int:
        """Bytes in memory for this connection, the request being answered included."""
        body = len(self._chunks.body) if self._chunks else 0
        return len(self._buffer) + body + self._delivered

    @property
    def bodiless(self) -> bool:
        """Whether the answer to what has arrived so far must have no body."""
        if self._request is not None:
            return bool(self._request.method == "HEAD")
        return self._buffer.startswith((b"HEAD ", b"\r\nHEAD "))

    @property
    def offered_id(self) -> str | None:
        """The client's X-Request-Id, once the head is known."""
        return header(self._request, "X-REQUEST-ID") if self._request else None

    def take_expectation(self) -> bool:
        """Tell, once, whether the client waits for 100 Continue to send its body."""
        expected, self._expects = self._expects, False
        return expected

    def forget(self) -> None:
        """Let go of the body that was delivered: its request is answered."""
        self._delivered = 0

    def clear(self) -> None:
        """Let go of everything: the connection is closing."""
        self._buffer.clear()
        self._request, self._chunks = None, None
        self._length = self._searched = self._delivered = 0

    def feed(self, data: bytes) -> Request | None:
        """Take what arrived; hand over the request once it is whole.

        What follows that request stays for the next call, ``feed(b"")`` included.

        Raises:
            Refused: this is no request to run, whatever comes after it.
        """
        self._buffer += data
        if self._request is None and not self._read_head():
            return None
        body = self._read_body()
        return None if body is None else self._deliver(body)

    def _read_head(self) -> bool:
        end = self._buffer.find(HEAD_END, self._searched)
        size = len(self._buffer) if end < 0 else end
        if size > self._limits.max_head:
            raise _too_much_head(self._buffer, self._limits.max_head)
        if end < 0:
            self._check_open_head()
            return False
        head = bytes(self._buffer[: end + len(HEAD_END)])
        self._request = self._judged(head)
        del self._buffer[: len(head)]
        self._searched = 0
        self._plan_body()
        self._expects = _expects_continue(self._request)
        self._request._expected_100_continue = False  # noqa: SLF001 (ours to send)
        return True

    def _check_open_head(self) -> None:
        """Refuse at once what can never become a head, instead of waiting for it."""
        new, self._searched = self._searched, max(0, len(self._buffer) - 3)
        if self._buffer and self._buffer[0] not in FIRST:
            tls = self._buffer[0] == TLS_HANDSHAKE
            raise malformed(
                "This port speaks plain HTTP; TLS is spoken by a proxy before it."
                if tls
                else "This is not HTTP; a request begins with its method."
            )
        if _bare_newline(self._buffer, new):
            raise malformed("A line of the header ends with LF alone; send CRLF.")

    def _judged(self, head: bytes) -> Request:
        try:
            request = self._parse(head)
        except Exception as error:
            raise Refused.by_parser(error) from error
        if request.version >= (1, 1) and header(request, "HOST") is None:
            raise malformed(NO_HOST)
        return request

    def _plan_body(self) -> None:
        coding = header(self._request, "TRANSFER-ENCODING")
        if coding is None:
            self._length = int(header(self._request, "CONTENT-LENGTH") or 0)
            if self._length > self._limits.max_body:
                raise too_large(self._limits.max_body)
            return
        if coding.lower() != "chunked":
            raise Refused(501, "transfer-coding", NOT_CHUNKED)
        parse = self._request.parse_headers
        self._chunks = Chunks(
            limit=self._limits.max_body,
            check_trailers=lambda raw: parse(raw, from_trailer=True),
        )

    def _read_body(self) -> bytes | None:
        if self._chunks:
            whole = self._chunks.feed(self._buffer)
            return bytes(self._chunks.body) if whole else None
        if len(self._buffer) < self._length:
            return None
        body = bytes(self._buffer[: self._length])
        del self._buffer[: self._length]
        return body

    def _deliver(self, body: bytes) -> Request:
        request, self._request = self._request, None
        if self._chunks:
            request.headers = [*_unchunked(request), ("CONTENT-LENGTH", f"{len(body)}")]
        request.body = io.BytesIO(body)
        self._chunks, self._length, self._delivered = None, 0, len(body)
        return request


def header(request: Request, name: str) -> str | None:
    """Return a field's value by its name in capitals, the first if there are more."""
    for each, value in request.headers:
        if each == name:
            found: str = value
            return found
    return None


def _expects_continue(request: Request) -> bool:
    """Tell whether the client waits; gunicorn knows no other expectation."""
    return request.version >= (1, 1) and header(request, "EXPECT") is not None


def _unchunked(request: Request) -> list[tuple[str, str]]:
    """Leave out what no longer holds once a body is decoded (RFC 9112, 7.1.3)."""
    gone = ("TRANSFER-ENCODING", "TRAILER")
    return [field for field in request.headers if field[0] not in gone]


def _bare_newline(buffer: bytearray, start: int) -> bool:
    """Look in what is new, from `start`, which is never in the middle of a CRLF."""
    pairs = buffer.count(b"\r\n", max(0, start - 1))
    return buffer.count(b"\n", start) != pairs


def _too_much_head(buffer: bytearray, limit: int) -> Refused:
    if buffer.find(b"\r\n", 2) in range(limit):
        detail = (
            f"The header is longer than {limit} bytes; send fewer or shorter fields."
        )
        return Refused(431, "headers-too-large", detail)
    detail = "The request line is too long; shorten the path or the query."
    return Refused(414, "uri-too-long", detail)
