"""Servers that stop at one point of an exchange and go no further."""

import contextlib
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Self

from tests.system.waiting import eventually

PATIENCE = 20.0  # seconds that no stall should ever last
SYN_SENT = "02"  # in /proc/net/tcp
SEGMENT = 536  # bytes: the smaller, the less the sender's buffers take
Script = Callable[["Stalling", socket.socket], None]


class Stalling:
    """A server that runs a script on each connection, in a thread of its own.

    `begun` is set once a connection has come to the point where it stalls, and
    `released` ends all stalls.

    Args:
        script: what to do with a connection.
        tls: speaks TLS first, if given.
    """

    def __init__(self, script: Script, tls: ssl.SSLContext | None = None) -> None:
        self.begun, self.released = threading.Event(), threading.Event()
        self._script, self._tls = script, tls
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, SEGMENT)
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen()
        self._port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)

    @property
    def url(self) -> str:
        """Where it is."""
        expects_tls = self._tls is not None or self._script is no_handshake
        return f"{'https' if expects_tls else 'http'}://127.0.0.1:{self._port}/"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(PATIENCE)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                connection.settimeout(PATIENCE)
                threading.Thread(
                    target=self._serve, args=(connection,), daemon=True
                ).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            if self._tls is None:
                self._script(self, connection)
                return
            with self._tls.wrap_socket(connection, server_side=True) as secured:
                self._script(self, secured)

    def wait(self) -> None:
        """Wait until a connection has come to the point."""
        assert self.begun.wait(5), "nobody came to the point where it stalls"

    def stall(self) -> None:
        """Tell that the point is reached, and wait for the end of the test."""
        self.begun.set()
        self.released.wait(PATIENCE)


def no_handshake(server: Stalling, connection: socket.socket) -> None:
    """Take the first bytes of a handshake and say nothing."""
    connection.recv(1)
    server.stall()


def no_headers(server: Stalling, connection: socket.socket) -> None:
    """Take the request and never answer."""
    _read_head(connection)
    server.stall()


def dribbled_head(server: Stalling, connection: socket.socket) -> None:
    """Answer with a header that never ends."""
    _read_head(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    _dribble(server, connection)


def dribbled_body(server: Stalling, connection: socket.socket) -> None:
    """Answer with a body that never ends."""
    _read_head(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n")
    _dribble(server, connection)


def half_a_body(server: Stalling, connection: socket.socket) -> None:
    """Answer with the first part of a body that the end of the connection ends."""
    _read_head(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nhalf of it")
    server.stall()


def no_reading(server: Stalling, connection: socket.socket) -> None:
    """Take the first byte of a request and no other."""
    connection.recv(1)
    server.stall()


def _read_head(connection: socket.socket) -> None:
    head = b""
    while b"\r\n\r\n" not in head:
        head += connection.recv(65_536)


def _dribble(server: Stalling, connection: socket.socket) -> None:
    server.begun.set()
    while not server.released.wait(0.02):
        connection.sendall(b"x")


class FullBacklog:
    """A port that takes no connection and refuses none."""

    def __init__(self) -> None:
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(0)
        self._port = self._listener.getsockname()[1]
        self._filling = [socket.socket() for _ in range(4)]
        for each in self._filling:
            each.settimeout(0)
            each.connect_ex(self._listener.getsockname())
        self._before = self._trying()
        self.url = f"http://127.0.0.1:{self._port}/"

    def wait(self) -> None:
        """Wait until somebody else tries to connect."""
        eventually(lambda: self._trying() > self._before, within=5, what="it connects")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for each in (*self._filling, self._listener):
            each.close()

    def _trying(self) -> int:
        """Count the connections to this port that wait for their first answer."""
        table = Path("/proc/net/tcp").read_text().splitlines()[1:]
        rows = [line.split() for line in table]
        wanted = (f"0100007F:{self._port:04X}", SYN_SENT)
        return sum((row[2], row[3]) == wanted for row in rows)


def make_certificate(folder: Path) -> Path:
    """Make a file with a key, and a certificate of this machine that vouches for it."""
    path = folder / "localhost.pem"
    made = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
        " -days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1"
        f" -keyout {folder}/key.pem -out {folder}/certificate.pem"
    )
    subprocess.run(made.split(), check=True, capture_output=True)
    path.write_bytes(
        (folder / "key.pem").read_bytes() + (folder / "certificate.pem").read_bytes()
    )
    return path
