"""What a person reads when the server refuses."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from app.cli.client import Client, Refused


class Answering(BaseHTTPRequestHandler):
    """Answers 422 as a problem document on /problem, 502 as text elsewhere."""

    def do_GET(self) -> None:
        if self.path == "/problem":
            fault = {"pointer": "/name", "message": "is taken"}
            problem = {"detail": "The name does not fit.", "errors": [fault]}
            self._send(422, "application/problem+json", json.dumps(problem).encode())
        else:
            self._send(502, "text/html", b"<h1>Bad Gateway</h1>")

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def client() -> Iterator[Client]:
    with HTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        with Client(f"http://127.0.0.1:{server.server_port}") as one:
            yield one
        server.shutdown()
        thread.join()


def test_a_problem_document_is_told_with_each_of_its_faults(client: Client):
    with pytest.raises(Refused) as refused:
        client.call("GET", "/problem")

    assert str(refused.value).startswith("GET /problem: 422")
    assert str(refused.value).endswith("The name does not fit.; /name: is taken")


def test_an_error_of_something_in_between_is_told_by_its_status(client: Client):
    with pytest.raises(Refused, match="GET /other: 502 Bad Gateway"):
        client.call("GET", "/other")
