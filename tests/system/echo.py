"""A server that gives back whatever it was shown, in every way that it can think of."""

import base64
import contextlib
import html
import json
import socket
import ssl
import threading
from collections.abc import Callable
from typing import Self
from urllib.parse import quote

Reply = Callable[["Echo", bytes], bytes]
PATIENCE = 10.0  # seconds


def answer(
    body: bytes, *, status: str = "200 OK", kind: str = "text/plain", extra: str = ""
) -> bytes:
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n"
        f"Content-Length: {len(body)}\r\n{extra}\r\n"
    )
    return head.encode("latin-1") + body


def _shown(request: bytes) -> str:
    """The headers that may hold a secret, on one line."""
    lines = request.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    told = ("authorization", "x-canary", "x-token", "cookie", "get ", "post ")
    return "; ".join(each for each in lines if each.lower().startswith(told))


def _text(echo: "Echo", request: bytes) -> bytes:
    return answer(request, extra=f"X-Shown: {_shown(request)}\r\n")


def _json(echo: "Echo", request: bytes) -> bytes:
    value = {"got": request.decode("latin-1"), _shown(request): [_shown(request)]}
    return answer(json.dumps(value).encode(), kind="application/json")


def _bytes(echo: "Echo", request: bytes) -> bytes:
    return answer(b"\xff\xfe\x00" + request, kind="application/octet-stream")


def _html(echo: "Echo", request: bytes) -> bytes:
    page = f"<p>{html.escape(_shown(request))}</p><a href='/?{quote(_shown(request))}'>"
    return answer(page.encode(), kind="text/html")


def _base64(echo: "Echo", request: bytes) -> bytes:
    return answer(base64.b64encode(b"z" + request) + base64.urlsafe_b64encode(request))


def _broken(echo: "Echo", request: bytes) -> bytes:
    return answer(request, status=f"500 {_shown(request)[:200]}")


def _refused(echo: "Echo", request: bytes) -> bytes:
    return answer(request, status="403 Forbidden")


def _home(echo: "Echo", request: bytes) -> bytes:
    return answer(b"", status="302 Found", extra="Location: /text\r\n")


def _away(echo: "Echo", request: bytes) -> bytes:
    where = f"Location: {echo.elsewhere.url}/text\r\n"
    return answer(b"", status="307 Moved", extra=where)


def _leak(echo: "Echo", request: bytes) -> bytes:
    where = f"Location: {echo.elsewhere.url}/text?{quote(_shown(request))}\r\n"
    return answer(b"", status="302 Found", extra=where)


def _cut(echo: "Echo", request: bytes) -> bytes:
    return answer(request).replace(b"Content-Length: ", b"Content-Length: 9")


def _garbage(echo: "Echo", request: bytes) -> bytes:
    return _shown(request).encode() + b"\r\n\r\n" + request


WAYS: dict[str, Reply] = {
    "text": _text,
    "json": _json,
    "bytes": _bytes,
    "html": _html,
    "base64": _base64,
    "broken": _broken,
    "refused": _refused,
    "home": _home,
    "away": _away,
    "leak": _leak,
    "cut": _cut,
    "garbage": _garbage,
}


class Echo:
    """Answers `/way/anything` as that way does, and `/silent` never.

    `/memory` tells what was shown at `/text/remember`.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.seen: list[bytes] = []
        self.elsewhere = self  # where redirects to another origin lead
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._over = threading.Event()
        scheme = "https" if tls else "http"
        self.url = f"{scheme}://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                args = (connection,)
                threading.Thread(target=self._serve, args=args, daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(PATIENCE)
        with contextlib.suppress(OSError), connection:
            if self._tls is not None:
                with self._tls.wrap_socket(connection, server_side=True) as secured:
                    self._answer(secured)
                return
            self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        request = b""
        while b"\r\n\r\n" not in request:
            request += connection.recv(65_536)
        head, _, body = request.partition(b"\r\n\r\n")
        for line in head.lower().split(b"\r\n"):
            name, _, value = line.partition(b": ")
            while name == b"content-length" and len(body) < int(value):
                body += connection.recv(65_536)
        request = head + b"\r\n\r\n" + body
        self.seen.append(request)
        way = request.split(b" ")[1].decode().strip("/").partition("/")[0]
        way = way.partition("?")[0]
        if way == "silent":
            self._over.wait(PATIENCE)
        elif way == "memory":  # what a run has shown before
            told = [each for each in self.seen if b"/remember" in each.splitlines()[0]]
            connection.sendall(answer(b"".join(told)))
        else:
            connection.sendall(WAYS[way](self, request))
