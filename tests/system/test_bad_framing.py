"""P9 on the wire: wrong framing and sizes, over real sockets and without a proxy."""

import json
import socket

import pytest

from tests.system.client import Api
from tests.system.serving import Server

pytestmark = [pytest.mark.system, pytest.mark.usefixtures("clean_log")]

LIMIT = 1024 * 1024


def exchange(server: Server, data: bytes) -> tuple[int, str]:
    """Send raw bytes, end them, and read the status and the content type."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as one:
        one.sendall(data)
        one.shutdown(socket.SHUT_WR)
        head, _, _ = read_all(one).partition(b"\r\n\r\n")
    assert head, "closed without an answer"
    line, *fields = head.decode("latin-1").split("\r\n")
    types = [f.split(":", 1)[1] for f in fields if f.lower().startswith("content-type")]
    return int(line.split(" ")[1]), types[0].strip() if types else ""


def read_all(one: socket.socket) -> bytes:
    parts = []
    try:
        while part := one.recv(65536):
            parts.append(part)
    except ConnectionResetError:
        assert parts, "reset before an answer"
    return b"".join(parts)


def request(hook: str, *fields: str, body: bytes = b"", line: str = "") -> bytes:
    head = "\r\n".join((line or f"POST {hook} HTTP/1.1", "Host: localhost", *fields))
    return head.encode("latin-1") + b"\r\n\r\n" + body


def chunks(*sizes: int) -> bytes:
    return b"".join(b"%x\r\n" % n + b"a" * n + b"\r\n" for n in sizes) + b"0\r\n\r\n"


CHUNKED = "Transfer-Encoding: chunked"
FRAMING = {
    "letters as a chunk size": request("HOOK", CHUNKED, body=b"zz\r\nhi\r\n0\r\n\r\n"),
    "a negative chunk size": request("HOOK", CHUNKED, body=b"-2\r\nhi\r\n0\r\n\r\n"),
    "data longer than its chunk": request(
        "HOOK", CHUNKED, body=b"2\r\nhiho\r\n0\r\n\r\n"
    ),
    "two lengths": request(
        "HOOK", "Content-Length: 2", "Content-Length: 3", body=b"hi"
    ),
    "length and chunks": request("HOOK", "Content-Length: 2", CHUNKED, body=b"hi"),
    "a length that is no number": request("HOOK", "Content-Length: two", body=b"hi"),
    "a space before the colon": request("HOOK", "Content-Length : 2", body=b"hi"),
    "no request at all": b"hello, is this a server?\r\n\r\n",
}


@pytest.mark.parametrize("name", FRAMING)
def test_wrong_framing_is_400(shared: Server, hook: str, name: str):
    status, _ = exchange(shared, FRAMING[name].replace(b"HOOK", hook.encode()))

    assert status == 400


@pytest.mark.parametrize(
    "data",
    [
        request("HOOK", "Content-Length: 1048577", body=b"a" * (LIMIT + 1)),
        request("HOOK", CHUNKED, body=chunks(LIMIT + 1)),
        request("HOOK", CHUNKED, body=chunks(*[4096] * 257)),
    ],
    ids=["by its length", "in one chunk", "in many chunks"],
)
def test_a_body_over_the_limit_is_413_and_never_cut_short(
    shared: Server, shared_api: Api, hook: str, data: bytes
):
    before = len(list(shared_api.executions()))

    status, kind = exchange(shared, data.replace(b"HOOK", hook.encode()))

    assert (status, kind) == (413, "application/problem+json")
    assert len(list(shared_api.executions())) == before


@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_a_body_of_exactly_the_limit_is_taken_whole(
    shared: Server, shared_api: Api, hook: str, framing: str
):
    body = json.dumps({"pad": "a" * (LIMIT - 11)}).encode()
    assert len(body) == LIMIT
    data = {
        "length": request(hook, f"Content-Length: {LIMIT}", body=body),
        "chunks": request(hook, CHUNKED, body=b"%x\r\n%s\r\n0\r\n\r\n" % (LIMIT, body)),
    }[framing]

    status, _ = exchange(shared, data)

    assert status == 202
    newest = next(shared_api.executions())
    assert shared_api.finished(newest["id"])["status"] == "success"
