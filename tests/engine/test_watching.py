"""Callers that wait, and callers that leave."""

import socket
import struct
import threading

import pytest

from app.domain.errors import CallerGone
from app.engine.watching import Watchers


@pytest.fixture
def line():
    """Both ends of a connection: the caller's and ours."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        theirs = socket.create_connection(listener.getsockname())
        ours, _ = listener.accept()
    with theirs, ours:
        yield theirs, ours


def reset(connection):
    linger = struct.pack("ii", 1, 0)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    connection.close()


@pytest.mark.parametrize("leave", [socket.socket.close, reset])
def test_notices_that_the_caller_left(line, leave):
    theirs, ours = line
    watchers = Watchers()

    with watchers.watching("exec_1", client=ours.fileno()) as watch:
        threading.Timer(0.01, leave, (theirs,)).start()
        with pytest.raises(CallerGone):
            watch.wait(5)


def test_notices_it_behind_a_request_that_was_sent_ahead(line):
    theirs, ours = line
    theirs.sendall(b"GET / HTTP/1.1\r\n\r\n")

    with Watchers().watching("exec_1", client=ours.fileno()) as watch:
        assert not watch.wait(0.01)
        theirs.close()
        with pytest.raises(CallerGone):
            watch.wait(5)
    assert ours.recv(100).startswith(b"GET")


def test_an_end_counts_more_than_a_caller_who_left(line):
    theirs, ours = line
    watchers = Watchers()

    with watchers.watching("exec_1", client=ours.fileno()) as watch:
        watchers.tell("exec_1")
        theirs.close()

        assert watch.wait(5)
