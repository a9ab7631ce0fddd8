"""What lives on this machine and must not be reached; and what may be."""

import socket
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import parse_qs, urlsplit

LOOPBACK = ("127.0.0.1", "127.255.255.254", "::1")
FRONT = "127.0.0.9"  # stands for a server of the Internet: an operator allows it
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\nConnection: close\r\n\r\nreached"


class Canary:
    """Listens on one port of several loopback addresses, and counts who connects."""

    def __init__(self) -> None:
        first = socket.create_server((LOOPBACK[0], 0))
        self.port: int = first.getsockname()[1]
        self._listeners = [first, *(self._listen(each) for each in LOOPBACK[1:])]
        self._lock = threading.Lock()
        self._connections = 0
        self._threads = [
            threading.Thread(target=self._accept, args=(each,), daemon=True)
            for each in self._listeners
        ]

    def __enter__(self) -> Self:
        for each in self._threads:
            each.start()
        return self

    def __exit__(self, *_: object) -> None:
        for each in self._listeners:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        for thread in self._threads:
            thread.join(5)

    @property
    def connections(self) -> int:
        """How many have connected, whatever they said."""
        with self._lock:
            return self._connections

    def _listen(self, address: str) -> socket.socket:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return socket.create_server((address, self.port), family=family)

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with self._lock:
                    self._connections += 1
                threading.Thread(target=_answer, args=(connection,)).start()


def _answer(connection: socket.socket) -> None:
    connection.settimeout(2)
    with suppress(OSError), connection:
        connection.recv(65_536)
        connection.sendall(ANSWER)


class Front:
    """An allowed server: ``/?to=URL&status=302`` redirects, anything else answers."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        seen = self.requests

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                seen.append(self.path)
                query = parse_qs(urlsplit(self.path).query)
                to = query.get("to", [None])[0]
                self.send_response(int(query.get("status", ["302"])[0]) if to else 200)
                if to:
                    self.send_header("Location", to.encode().decode("latin-1"))
                self.send_header("Content-Length", "5")
                self.end_headers()
                self.wfile.write(b"front")

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer((FRONT, 0), Handler)
        self.port = self._server.server_port
        self.url = f"http://{FRONT}:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
