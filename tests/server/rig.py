"""Traffic without a server: socket pairs, and a clock that a test moves."""

import json
import selectors
import socket

from app.server.limits import Limits
from app.server.traffic import Traffic
from tests.server.parsing import CLIENT

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
SERVER = ("127.0.0.1", 8000)


class Rig:
    """Traffic over socket pairs, with a clock that a test moves."""

    def __init__(self, stack, parse, **limits):
        self.now = 1000.0
        self.served = []
        self.broken = False
        self._stack = stack
        self.poller = stack.enter_context(selectors.DefaultSelector())
        self.traffic = Traffic(
            self.poller,
            limits=Limits(**limits),
            parse=parse,
            serve=self.serve,
            clock=lambda: self.now,
        )
        self.tally = self.traffic.tally

    def serve(self, conn):
        if self.broken:
            raise RuntimeError("broken on purpose")
        self.served.append(conn)

    def connect(self):
        ours, theirs = socket.socketpair()
        self._stack.enter_context(ours)
        self._stack.enter_context(theirs)
        theirs.settimeout(5)
        self.traffic.admit(ours, CLIENT, SERVER)
        return theirs

    def turn(self, seconds=0.0):
        """Move the clock, and handle what is there until nothing is."""
        self.now += seconds
        self.traffic.tick()
        while events := self.poller.select(0):
            for key, _ in events:
                key.data(key.fileobj)

    def send(self, client, data):
        client.sendall(data)
        self.turn()

    def answer(self, conn, data=b"HTTP/1.1 200 OK\r\n\r\n", *, keep=True):
        conn.outlet.sendall(data)
        self.traffic.answered(conn, keep=keep)
        self.turn()


def read_all(client):
    data = b""
    while piece := client.recv(65536):
        data += piece
    return data


def problem(client):
    head, _, body = read_all(client).partition(b"\r\n\r\n")
    assert b"Connection: close" in head
    assert b"Content-Type: application/problem+json" in head
    return json.loads(body)
