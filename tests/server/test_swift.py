"""Requests that the event loop takes itself, over socket pairs."""

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest

from app.server.swift import HELD, LARGEST, PATIENCE, Swift
from tests.server.parsing import config, parser
from tests.server.rig import Rig, read_all

HOOK = b"POST /hooks/token HTTP/1.1\r\nHost: x\r\nX-Request-Id: mine\r\n"
EVENT = HOOK + b"Content-Length: 2\r\n\r\n{}"
ACCEPTED = ("202 ACCEPTED", [("Content-Length", "2")], b"ok")


class Application:
    """Takes what it is told to, and replies when the test says so."""

    def __init__(self):
        self.willing = True
        self.knows = False  # whether it replies at once
        self.bodies = []
        self.replies = []

    def __call__(self, environ, reply):
        if not self.willing:
            return False
        self.bodies.append(environ["wsgi.input"].read())
        self.replies.append(reply)
        if self.knows:
            reply(*ACCEPTED)
        return True


class SwiftRig(Rig):
    """Traffic whose requests the loop may take itself."""

    def __init__(self, stack):
        super().__init__(stack, parser())
        self.application, self.ending = Application(), False
        self.deferred: list[tuple[Any, ...]] = []
        self.swift = Swift(
            self.application,
            paths=["/hooks/"],
            cfg=config(),
            defer=lambda *call: self.deferred.append(call),
            answered=self.traffic.answered,
            is_ending=lambda: self.ending,
            clock=lambda: self.now,
        )

    def serve(self, conn):
        if not self.swift.take(conn):
            super().serve(conn)

    def turn(self, seconds=0.0):
        super().turn(seconds)
        self.swift.tick()
        while self.deferred:
            call, *arguments = self.deferred.pop(0)
            call(*arguments)
            super().turn()

    def reply(self, number=0, *said):
        self.application.replies[number](*(said or ACCEPTED))
        self.turn()


@pytest.fixture
def rig():
    with ExitStack() as stack:
        yield SwiftRig(stack)


def test_what_is_taken_is_answered_when_the_reply_comes_and_takes_no_thread(rig):
    client = rig.connect()

    rig.send(client, EVENT)
    assert rig.application.bodies == [b"{}"]
    assert rig.traffic.serving == 1  # a drain waits for it
    rig.reply()

    answer = client.recv(65536)
    assert answer.startswith(b"HTTP/1.1 202 ACCEPTED\r\n")
    assert answer.endswith(b"\r\n\r\nok")
    assert (rig.served, rig.traffic.serving) == ([], 0)


def test_the_connection_takes_the_next_request_that_was_sent_ahead(rig):
    client = rig.connect()

    rig.send(client, EVENT + EVENT)
    rig.reply(0)
    rig.reply(1)

    assert client.recv(65536).count(b"HTTP/1.1 202 ACCEPTED\r\n") == 2


def test_an_answer_that_is_known_at_once_is_sent_at_once(rig):
    rig.application.knows = True
    client = rig.connect()

    client.sendall(EVENT)
    Rig.turn(rig)  # reads, and makes no deferred call

    assert client.recv(65536).endswith(b"\r\n\r\nok")
    assert (rig.deferred, rig.traffic.serving) == ([], 0)
    rig.send(client, EVENT)
    assert client.recv(65536).endswith(b"\r\n\r\nok")


def test_no_number_of_requests_sent_ahead_goes_to_the_depth_of_the_stack(rig):
    rig.application.knows = True
    client, sent = rig.connect(), 60_000 // len(EVENT)

    rig.send(client, EVENT * sent)

    answers = b""
    while answers.count(b"HTTP/1.1 202 ") < sent:
        rig.turn()
        answers += client.recv(1 << 20)
    assert len(rig.application.bodies) == sent


def test_a_reply_of_another_thread_is_left_to_the_loop(rig):
    client = rig.connect()
    rig.send(client, EVENT)

    with ThreadPoolExecutor(1) as other:
        other.submit(lambda: rig.application.replies[0](*ACCEPTED)).result()

    assert len(rig.deferred) == 1
    rig.turn()
    assert client.recv(65536).endswith(b"\r\n\r\nok")


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET /hooks/token HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /api/v1/workflows HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
        HOOK + b"Content-Length: %d\r\n\r\n" % (LARGEST + 1) + b"x" * (LARGEST + 1),
    ],
    ids=["another method", "another path", "a large body"],
)
def test_everything_else_goes_to_a_thread(rig, request_bytes):
    client = rig.connect()

    rig.send(client, request_bytes)

    assert len(rig.served) == 1
    assert rig.application.bodies == []


def test_what_the_application_does_not_take_goes_to_a_thread_with_its_body(rig):
    rig.application.willing = False
    client = rig.connect()

    rig.send(client, EVENT)

    [conn] = rig.served
    assert conn.request.body.read() == b"{}"
    rig.turn(PATIENCE + 1)  # nobody is told that it came too late


def test_who_gets_no_reply_is_told_to_come_again(rig):
    client = rig.connect()
    rig.send(client, EVENT)

    rig.turn(PATIENCE - 0.1)
    assert rig.traffic.serving == 1
    rig.turn(0.2)

    head, _, body = read_all(client).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 503 ")
    assert b"Retry-After: 1" in head
    problem = json.loads(body)
    assert problem["type"] == "/problems/too-late"
    assert problem["request_id"] == "mine"


def test_a_reply_that_comes_too_late_is_ignored(rig):
    client = rig.connect()
    rig.send(client, EVENT)
    rig.turn(PATIENCE + 1)

    rig.reply()

    assert read_all(client).count(b"HTTP/1.1 ") == 1


def test_a_client_that_has_left_is_no_error(rig, caplog):
    client = rig.connect()
    rig.send(client, EVENT)
    client.close()

    rig.reply()
    rig.turn()

    assert len(rig.traffic) == 0
    assert caplog.records == []


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: b", "a\nb", "a\rb", "\u2028"])
def test_an_answer_that_cannot_be_written_is_a_fault_of_ours(rig, caplog, value):
    client = rig.connect()
    rig.send(client, EVENT)

    rig.reply(0, "202 ACCEPTED", [("X-Name", value)], b"")

    assert read_all(client).startswith(b"HTTP/1.1 500 ")
    assert [each.getMessage() for each in caplog.records] == [
        "An answer could not be sent"
    ]


def test_while_the_process_ends_the_connection_is_closed_after_the_answer(rig):
    client = rig.connect()
    rig.send(client, EVENT)
    rig.ending = True

    rig.reply()

    answer = read_all(client)
    assert b"Connection: close\r\n" in answer
    assert answer.endswith(b"ok")


def test_a_reply_may_be_held_back_without_a_thread(rig):
    client = rig.connect()
    rig.send(client, EVENT)

    rig.application.replies[0](*ACCEPTED, after=0.1)
    rig.turn(0.05)
    client.settimeout(0)
    with pytest.raises(BlockingIOError):
        client.recv(65536)
    rig.turn(0.06)

    assert client.recv(65536).endswith(b"\r\n\r\nok")
    assert (rig.served, rig.traffic.serving) == ([], 0)


def test_where_too_many_wait_the_next_is_told_at_once(rig):
    clients = [rig.connect() for _ in range(HELD + 1)]
    for number, each in enumerate(clients):
        rig.send(each, EVENT)
        rig.application.replies[number](*ACCEPTED, after=0.1)
    rig.turn()

    assert clients[-1].recv(65536).endswith(b"ok")
    clients[-2].settimeout(0)
    with pytest.raises(BlockingIOError):
        clients[-2].recv(65536)
