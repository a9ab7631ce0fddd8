"""Callers over plain sockets: they wait, hang up, or use a connection again."""

import json
import select
import socket
import struct
from collections.abc import Callable
from typing import Any, Self
from urllib.parse import urlsplit

from tests.system.client import Answer
from tests.system.nginx import read


class Line:
    """One connection to a server."""

    def __init__(self, url: str, sock: socket.socket | None = None) -> None:
        parts = urlsplit(url)
        self._host = parts.netloc
        self.sock = sock or socket.create_connection(
            (parts.hostname, parts.port), timeout=40
        )

    def send(self, method: str, path: str, value: Any = None, *fields: str) -> Self:
        """Send a request; its answer is for `read`."""
        body = b"" if value is None else json.dumps(value).encode()
        head = (
            f"{method} {path} HTTP/1.1",
            f"Host: {self._host}",
            f"Content-Length: {len(body)}",
            *fields,
        )
        self.sock.sendall("\r\n".join([*head, "", ""]).encode() + body)
        return self

    def read(self) -> Answer:
        """Read one answer."""
        return read(self.sock)

    def has_answer(self, *, within: float) -> bool:
        """Tell whether something can be read, or the other side has hung up."""
        return bool(select.select([self.sock], [], [], within)[0])

    def hang_up(self) -> None:
        """Close, as a client does that has lost interest."""
        self.sock.close()

    def reset(self) -> None:
        """Close, as the kernel does for a process that was killed."""
        linger = struct.pack("ii", 1, 0)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.sock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()


Leave = Callable[[Line], None]


def path_of(url: str) -> str:
    """Where a URL points to on its server."""
    return urlsplit(url).path
