"""The health check of the container, against real listeners."""

import runpy
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.deploy.units import ROOT

PROGRAM = ROOT / "deploy/healthcheck.py"
ask = runpy.run_path(str(PROGRAM))["ask"]


@contextmanager
def answering(status: int) -> Iterator[tuple[str, list[str]]]:
    """Give the port of a server with one answer, and what it was asked for."""
    asked: list[str] = []

    class One(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(f"{self.headers['Host']}{self.path}")
            self.send_response(status)
            self.end_headers()
            self.wfile.write(b"because")

        def log_message(self, *_: object) -> None:
            return

    with HTTPServer(("127.0.0.1", 0), One) as server:
        thread = threading.Thread(
            target=server.serve_forever, args=(0.01,), daemon=True
        )
        thread.start()
        yield str(server.server_port), asked
        server.shutdown()
        thread.join(5)


@pytest.mark.parametrize("bind", ["", "::", "[::]", "127.0.0.1"])
def test_a_ready_server_is_healthy_wherever_it_listens(bind: str):
    with answering(200) as (port, asked):
        assert ask({"PORT": port, "SLUICE_BIND": bind}) is None

    assert asked == ["localhost/health/ready"]


@pytest.mark.parametrize("hosts", ["a.example.com", ".a.example.com, b.example.com"])
def test_a_server_that_trusts_only_some_names_is_asked_by_one_of_them(hosts: str):
    with answering(200) as (port, asked):
        assert ask({"PORT": port, "SLUICE_TRUSTED_HOSTS": hosts}) is None

    assert asked == ["a.example.com/health/ready"]


def test_a_server_that_is_not_ready_is_told_with_its_reason():
    with answering(503) as (port, _):
        assert ask({"PORT": port}) == "503: because"


def test_no_server_and_a_silent_server_are_told():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = str(silent.getsockname()[1])
        assert "timed out" in str(ask({"PORT": port}, timeout=0.1))

    assert "refused" in str(ask({"PORT": port}))
