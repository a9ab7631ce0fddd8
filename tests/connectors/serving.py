"""Servers on loopback that do exactly what a test tells them, byte by byte."""

import contextlib
import socket
import threading
from collections.abc import Callable

from app.connectors.outgoing import Request
from app.connectors.resolving import Target

PATIENCE = 5.0  # seconds that nothing here should ever need


class Server:
    """Runs a script on each connection, in a thread of its own.

    `begun` is set by scripts that have come to the point where they stall;
    `released` ends the stall when the test is over.
    """

    def __init__(self, script: Callable[["Server", socket.socket], None], tls=None):
        self.begun = threading.Event()
        self.released = threading.Event()
        self.requests: list[bytes] = []
        self.connections = 0
        self._script = script
        self._tls = tls
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.scheme = "http" if tls is None else "https"
        self._start(self._accept)

    def url(self, path="/", host="127.0.0.1"):
        return f"{self.scheme}://{host}:{self.port}{path}"

    def close(self):
        self.released.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(PATIENCE)

    def _start(self, target, *args):
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                self._start(self._serve, connection)

    def _serve(self, connection):
        connection.settimeout(PATIENCE)
        with contextlib.suppress(OSError), connection:
            if self._tls is None:
                self._script(self, connection)
                return
            with self._tls.wrap_socket(connection, server_side=True) as secured:
                self._script(self, secured)
                secured.unwrap()


def read_request(connection):
    """Read one request with its body, if it says how long that is."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65_536) or _gone()
    head, _, body = data.partition(b"\r\n\r\n")
    while len(body) < _length(head):
        body += connection.recv(65_536) or _gone()
    return head + b"\r\n\r\n" + body


def _length(head):
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


def _gone():
    raise ConnectionError


def answering(*answers: bytes):
    """Answer the first connection with the first of these, and so on, then close."""
    left = list(answers)

    def script(server, connection):
        server.requests.append(read_request(connection))
        connection.sendall(left.pop(0) if len(left) > 1 else left[0])

    return script


def answer(body=b"", *, status="200 OK", headers=()):
    """Write a whole answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def get(url, **more) -> Request:
    """Ask for a URL."""
    return Request(method="GET", url=url, **more)


class Zone:
    """A name server that knows these names, written with _ for each dot."""

    def __init__(self, **addresses: list[str]):
        self._addresses = addresses

    def __call__(self, host: str, port: int) -> list[Target]:
        name = host.rstrip(".").lower().replace(".", "_")
        if name not in self._addresses:
            raise OSError
        return [
            Target(socket.AF_INET6, (each, port, 0, 0))
            if ":" in each
            else Target(socket.AF_INET, (each, port))
            for each in self._addresses[name]
        ]
