"""A process that stands still, whole or in part, shows why, and lives on if it can."""

import asyncio
import os
import signal
import time

import pytest

from tests.server import clients

pytestmark = pytest.mark.system

LONGER_THAN_PATIENCE = 7.0  # seconds


def ask(server, path):
    request = f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    return asyncio.run(clients.ask(server.port, request.encode()))


def test_stacks_are_written_when_the_event_loop_stands_still(serve):
    server = serve()

    answer = ask(server, "/stand-still?seconds=8")

    assert answer.endswith(b"asked")
    server.wait_for_line("The event loop stood still")
    assert "in keep" in server.output()
    assert server.output().count("Stacks while the event loop stands still:") == 1


def test_stacks_are_written_when_a_frozen_process_is_given_up(serve):
    server = serve(GUNICORN_CMD_ARGS="--timeout 2")

    answer = ask(server, "/freeze?seconds=60")

    assert answer == b""
    server.wait_for_line("in freeze")
    server.wait_for_line("Booting worker", count=2)


def test_a_process_that_was_stopped_goes_on_and_serves(serve):
    server = serve()
    [process] = server.children()

    os.kill(process, signal.SIGSTOP)
    time.sleep(LONGER_THAN_PATIENCE)
    os.kill(process, signal.SIGCONT)

    server.wait_for_line("The event loop stood still")
    assert ask(server, "/").endswith(b"ok")
    assert server.children() == [process]
    assert "Stacks" not in server.output()
