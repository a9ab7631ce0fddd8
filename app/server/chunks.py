"""Takes a chunked body apart as it arrives (RFC 9112 section 7.1)."""

import re
from collections.abc import Callable

from app.server.refused import Refused, malformed, too_large

CRLF = b"\r\n"
LONGEST_LINE = 8190  # bytes of a chunk's size with its extensions
LONGEST_TRAILERS = 16 << 10  # bytes
SPARE = 64 << 10  # bytes of framing that even the smallest body may have
SIZE = re.compile(rb"[0-9A-Fa-f]{1,16}")
TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
QUOTED = rb'"(?:[\t !#-\[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*"'
EXTENSIONS = re.compile(
    rb"(?:[ \t]*;[ \t]*%b(?:[ \t]*=[ \t]*(?:%b|%b))?)*" % (TOKEN, TOKEN, QUOTED)
)


class Chunks:
    """The body of one request.

    Every byte is looked at once, however small the chunks are. gunicorn's own
    reader copies all that is buffered for each chunk, which for a body of one-byte
    chunks that is already here takes minutes.

    Args:
        limit: bytes the body may have; its framing may have as many, and 64 KiB.
        check_trailers: told the trailer section, raises if it is not valid.
    """

    def __init__(
        self, *, limit: int, check_trailers: Callable[[bytes], object]
    ) -> None:
        self.body = bytearray()
        self._limit, self._check_trailers = limit, check_trailers
        self._step = Chunks._size  # a plain function, so that no cycle holds the body
        self._at = 0  # how far the buffer has been read
        self._left = 0  # bytes of the current chunk still to come
        self._taken = 0  # bytes of the connection, framing included
        self._done = False

    def feed(self, buffer: bytearray) -> bool:
        """Take from the front of `buffer` what belongs to the body.

        Returns:
            Whether the body is whole; what is left in `buffer` comes after it.

        Raises:
            Refused: 400 for wrong framing, 413 for too much of it or of the body.
        """
        self._at = 0
        while self._step(self, buffer):
            pass
        del buffer[: self._at]
        self._taken += self._at
        if self._taken - len(self.body) > self._limit + SPARE:
            raise too_large(self._limit)
        return self._done

    def _size(self, buffer: bytearray) -> bool:
        line = self._line(buffer)
        if line is None:
            return False
        size, *extensions = line.split(b";", 1)
        if extensions:
            size = size.rstrip(b" \t")
            if not EXTENSIONS.fullmatch(b";" + extensions[0]):
                raise malformed("A chunk extension is not valid; send none.")
        if not SIZE.fullmatch(size):
            raise malformed("A chunk does not begin with its size in hexadecimal.")
        self._left = int(size, 16)
        if len(self.body) + self._left > self._limit:
            raise too_large(self._limit)
        self._step = Chunks._data if self._left else Chunks._trailers
        return True

    def _line(self, buffer: bytearray) -> bytes | None:
        end = buffer.find(CRLF, self._at)
        if end < 0:
            if len(buffer) - self._at > LONGEST_LINE:
                raise malformed("A chunk's first line does not end; send CRLF.")
            return None
        line = bytes(buffer[self._at : end])
        self._at = end + 2
        return line

    def _data(self, buffer: bytearray) -> bool:
        piece = buffer[self._at : self._at + self._left]
        self.body += piece
        self._at += len(piece)
        self._left -= len(piece)
        if self._left:
            return False
        self._step = Chunks._ending
        return True

    def _ending(self, buffer: bytearray) -> bool:
        ending = buffer[self._at : self._at + 2]
        if not CRLF.startswith(ending):
            raise malformed("A chunk is longer than its size says.")
        if len(ending) < len(CRLF):
            return False
        self._at += 2
        self._step = Chunks._size
        return True

    def _trailers(self, buffer: bytearray) -> bool:
        if buffer.startswith(CRLF, self._at):
            self._at += 2
            self._done = True
            return False
        end = buffer.find(CRLF + CRLF, self._at)
        seen = bytes(buffer[self._at : end if end >= 0 else None])
        if len(seen) > LONGEST_TRAILERS:
            raise Refused(
                431,
                "headers-too-large",
                f"The trailers are longer than {LONGEST_TRAILERS} bytes; send fewer.",
            )
        if seen.count(b"\n") != seen.count(CRLF):
            raise malformed("A trailer ends with LF alone; send CRLF.")
        if end < 0:
            return False
        self._check(seen)
        self._at = end + 4
        self._done = True
        return False

    def _check(self, trailers: bytes) -> None:
        try:
            self._check_trailers(trailers)
        except Exception as error:
            raise Refused.by_parser(error) from error
