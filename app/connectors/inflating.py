"""Compressed answers, opened no further than their limit."""

import zlib

from app.domain.errors import StepFailed

GZIP = 16 + zlib.MAX_WBITS
RATIO = 100  # to which an answer may grow when it is opened
HARMLESS = 1 << 20  # bytes up to which it may grow more: they cost 2 ms


class Collector:
    """Gathers an answer's body and undoes its compression.

    Args:
        limit: the greatest size of the opened body, bytes.
        coding: the answer's ``Content-Encoding``, in lower case.
        origin: whose answer this is, for messages.

    Raises:
        StepFailed: `bad-answer`, the coding is none that was asked for.
    """

    def __init__(self, *, limit: int, coding: str, origin: str) -> None:
        self._limit = limit
        self._origin = origin
        self._came = 0  # bytes
        self._body = bytearray()  # a list of small pieces would take far more
        self._gzip = None
        if coding in ("gzip", "x-gzip"):
            self._gzip = zlib.decompressobj(GZIP)
        elif coding not in ("", "identity"):
            raise self._bad("in a compression that was not asked for")

    def add(self, data: bytes) -> None:
        """Take the next piece as it came.

        Raises:
            StepFailed: `too-large`, or `bad-answer` when it cannot be opened.
        """
        piece = data if self._gzip is None else self._opened(self._gzip, data)
        self._came += len(data)
        self._body += piece
        if len(self._body) > max(HARMLESS, RATIO * self._came):
            raise StepFailed(
                "too-large",
                f"{self._origin} answered what grows more than {RATIO} times when it"
                " is opened; ask it for less, or without compression",
            )
        if len(self._body) > self._limit:
            raise StepFailed(
                "too-large",
                f"{self._origin} answered more than {self._limit} bytes;"
                " ask it for less, or raise SLUICE_MAX_OUTPUT",
            )

    def body(self) -> bytes:
        """Return the whole.

        Raises:
            StepFailed: `bad-answer`, the compressed data ended too early.
        """
        if self._gzip is not None and self._came and not self._gzip.eof:
            raise self._bad("with compressed data that ends too early")
        return bytes(self._body)

    def _opened(self, gzip: "zlib._Decompress", data: bytes) -> bytes:
        try:
            piece = gzip.decompress(data, self._limit - len(self._body) + 1)
        except zlib.error as error:
            raise self._bad("with compressed data that is broken") from error
        if gzip.unused_data:
            raise self._bad("with more than one compressed part")
        return piece

    def _bad(self, what: str) -> StepFailed:
        return StepFailed("bad-answer", f"{self._origin} answered {what}")
