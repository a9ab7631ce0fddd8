"""What the one door does with sizes, compression and strange answers."""

import gzip
import hashlib
import logging
import re
import tracemalloc
import zlib

import pytest

from app.connectors.http import MAX_HEADERS, HttpClient
from app.connectors.network import Dialing
from app.connectors.outgoing import Body, Request
from app.connectors.resolving import Resolver
from app.domain.errors import Cancelled, StepFailed
from app.security.addresses import AddressGuard
from app.telemetry.signals import Signals
from tests.connectors.serving import Zone, answer, answering, get, read_request


def test_an_answer_is_read_whole(serve, http, context):
    server = serve(answering(answer(b"hello", headers=["X-A: 1", "x-a: 2"])))

    reply = http.call(context, get(server.url("/path?query")))

    assert reply.status == 200
    assert reply.body == b"hello"
    assert reply.headers["x-a"] == "1, 2"
    assert reply.origin == f"http://127.0.0.1:{server.port}"
    assert server.requests[0].startswith(b"GET /path?query HTTP/1.1\r\n")


def test_a_request_says_who_sends_it_and_carries_its_body(serve, client_tls, context):
    server = serve(answering(answer()))
    client = HttpClient(AddressGuard(allow_private=True), user_agent="Sluice/1.2")
    body = Body(b"a=1", "application/x-www-form-urlencoded")

    client.call(context, Request(method="PUT", url=server.url(), body=body))

    head, _, content = server.requests[0].partition(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    assert b"user-agent: sluice/1.2" in lines
    assert b"content-type: application/x-www-form-urlencoded" in lines
    assert b"content-length: 3" in lines
    assert content == b"a=1"


def test_the_environments_proxies_are_not_used(serve, http, context, monkeypatch):
    proxy = serve(answering(answer(b"proxy")))
    server = serve(answering(answer(b"direct")))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy.url())

    assert http.call(context, get(server.url())).body == b"direct"
    assert proxy.connections == 0


def test_every_call_is_told_by_its_class_of_status_or_its_failure(serve, context):
    signals = Signals()
    client = HttpClient(AddressGuard(allow_private=True), signals=signals)
    server = serve(answering(answer(status="404 Not Found")))
    client.call(context, get(server.url()))
    server.close()
    with pytest.raises(StepFailed):
        client.call(context, get(server.url()))
    context.cancel()
    with pytest.raises(Cancelled):
        client.call(context, get(server.url()))

    text = signals.metrics.render()[0].decode()
    calls = re.findall(
        r'^sluice_outbound_calls_total\{outcome="(.+)"\} (.+)$', text, re.MULTILINE
    )
    assert calls == [("4xx", "1.0"), ("connect-failed", "1.0")]
    assert "sluice_outbound_seconds_count 2.0" in text


def test_cookies_of_one_call_are_not_sent_with_the_next(serve, http, context):
    server = serve(answering(answer(headers=["Set-Cookie: a=1"])))

    http.call(context, get(server.url()))
    http.call(context, get(server.url()))

    assert b"cookie" not in server.requests[1].lower()


# Sizes and compression


def chunked(*pieces):
    parts = b"".join(b"%x\r\n%b\r\n" % (len(each), each) for each in pieces)
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + parts + b"0\r\n\r\n"


@pytest.fixture
def small(client_tls):
    """A door that takes answers of a thousand bytes."""
    return HttpClient(
        AddressGuard(allow_private=True), dialing=Dialing(tls=client_tls), max_body=1000
    )


def until_eof(body):
    return b"HTTP/1.1 200 OK\r\n\r\n" + body


def gzipped(body):
    return answer(gzip.compress(body), headers=["Content-Encoding: gzip"])


@pytest.mark.parametrize("write", [answer, chunked, until_eof, gzipped])
def test_an_answer_may_be_as_large_as_the_limit_and_no_larger(
    serve, small, context, fails, write
):
    server = serve(answering(write(bytes(1000)), write(bytes(1001))))

    assert small.call(context, get(server.url())).body == bytes(1000)
    failure = fails(get(server.url()), small)

    assert (failure.code, failure.retryable) == ("too-large", False)


def test_an_endless_answer_is_left_as_soon_as_it_is_too_large(serve, small, fails):
    def endless(server, connection):
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while not server.released.is_set():
            connection.sendall(bytes(10_000))

    assert fails(get(serve(endless).url()), small).code == "too-large"


def test_a_compressed_bomb_is_not_unpacked(serve, fails, http):
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = (
        b"".join(packer.compress(bytes(1 << 20)) for _ in range(200)) + packer.flush()
    )
    server = serve(answering(answer(bomb, headers=["Content-Encoding: gzip"])))

    assert fails(get(server.url())).code == "too-large"


def test_what_grows_beyond_every_reason_is_not_unpacked_however_much_is_taken(
    serve, fails, client_tls, context
):
    many = 16 << 20
    noise = b"".join(hashlib.sha256(bytes([n])).digest() for n in range(256)) * 200
    server = serve(answering(gzipped(bytes(many)), gzipped(noise), gzipped(noise)))
    generous = HttpClient(
        AddressGuard(allow_private=True), dialing=Dialing(tls=client_tls), max_body=many
    )

    failure = fails(get(server.url()), generous)

    assert failure.code == "too-large"
    assert "100 times" in str(failure)
    assert generous.call(context, get(server.url())).body == noise


def test_an_answer_in_tiny_pieces_takes_no_more_memory_than_in_one(
    serve, http, context
):
    body = chunked(*[b"ab"] * 30_000)
    server = serve(answering(body))
    tracemalloc.start()
    try:
        reply = http.call(context, get(server.url()))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert reply.body == b"ab" * 30_000
    assert peak < 2_500_000


def test_an_answer_has_as_many_headers_as_the_limit_and_no_more(
    serve, http, context, fails
):
    most = [f"X-{n}: 1" for n in range(MAX_HEADERS - 1)]  # and its length
    server = serve(
        answering(answer(b"fits", headers=most), answer(headers=[*most, "X: 1"]))
    )

    assert http.call(context, get(server.url())).body == b"fits"
    failure = fails(get(server.url()))
    assert failure.code == "bad-answer"
    assert f"more than {MAX_HEADERS} headers" in str(failure)


@pytest.mark.parametrize(
    ("body", "coding"),
    [
        (gzip.compress(b"whole", mtime=0)[:-3], "gzip"),
        (gzip.compress(b"whole", mtime=0) + b"rest", "gzip"),
        (b"not compressed", "gzip"),
        (b"\x1f\x8b", "gzip"),
        (b"whatever", "br"),
        (gzip.compress(gzip.compress(b"twice", mtime=0), mtime=0), "gzip, gzip"),
    ],
)
def test_compression_that_cannot_be_undone_is_a_bad_answer(serve, fails, body, coding):
    headers = [f"Content-Encoding: {coding}"]
    server = serve(answering(answer(body, headers=headers)))

    assert fails(get(server.url())).code == "bad-answer"


def test_an_empty_answer_may_call_itself_compressed(serve, http, context):
    server = serve(answering(answer(headers=["Content-Encoding: gzip"])))

    assert http.call(context, get(server.url())).body == b""


# Strange servers

MALFORMED = {
    "nothing": b"",
    "garbage": b"SSH-2.0-OpenSSH_9.2\r\n",
    "zeros": bytes(1000),
    "half a status line": b"HTTP/1.1 20",
    "no number": b"HTTP/1.1 abc OK\r\n\r\n",
    "huge number": b"HTTP/1.1 99999 OK\r\n\r\n",
    "HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "header without colon": b"HTTP/1.1 200 OK\r\nnonsense\r\n\r\n",
    "NUL in a header": b"HTTP/1.1 200 OK\r\nA: \x00\r\n\r\n",
    "two lengths": answer(b"ab", headers=["Content-Length: 1"]),
    "negative length": b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    "short body": b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
    "unknown framing": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
    "bad chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "unfinished chunks": chunked(b"abc")[:-5],
    "unasked upgrade": b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n",
    "many headers": b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200_000 + b"\r\n",
    "endless header": b"HTTP/1.1 200 OK\r\nA: " + b"a" * 1_000_000,
    "endless status line": b"HTTP/1.1 200 " + b"a" * 1_000_000,
}


@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED)
def test_an_answer_that_is_not_http_is_a_failed_step(serve, fails, data):
    failure = fails(get(serve(answering(data)).url("/?token=s3cret")))

    assert failure.code in ("bad-answer", "connect-failed")
    assert failure.retryable
    assert "s3cret" not in str(failure)


def test_a_refused_connection_is_a_failed_step(serve, fails):
    server = serve(answering(answer()))
    server.close()

    failure = fails(get(server.url("/hooks/s3cret?token=s3cret")))

    assert (failure.code, failure.retryable) == ("connect-failed", True)
    assert f"127.0.0.1 port {server.port}" in str(failure)
    assert "s3cret" not in str(failure)


def test_a_name_that_does_not_exist_is_a_failed_step(fails, client_tls):
    client = HttpClient(
        AddressGuard(),
        dialing=Dialing(tls=client_tls, resolver=Resolver(lookup=Zone())),
    )

    for host in ("nowhere.example", "a..b", "x" * 64 + ".example"):
        failure = fails(get(f"http://{host}/"), client)
        assert failure.code in ("connect-failed", "invalid-settings")


def test_the_second_address_is_tried_when_the_first_refuses(serve, client_tls, context):
    server = serve(answering(answer(b"here")))
    lookup = Zone(two_example=["127.0.0.9", "127.0.0.1"])
    client = HttpClient(
        AddressGuard(allow_private=True),
        dialing=Dialing(tls=client_tls, resolver=Resolver(lookup=lookup)),
    )

    reply = client.call(context, get(server.url(host="two.example")))

    assert reply.body == b"here"


def test_a_server_that_refuses_early_is_heard(serve, http, context):
    def refuse(server, connection):
        connection.recv(100)
        connection.sendall(answer(b"no", status="413 Too Large"))
        connection.close()

    body = Body(bytes(32 << 20), "application/octet-stream")
    request = Request(method="POST", url=serve(refuse).url(), body=body)

    assert http.call(context, request).status == 413


def test_interim_answers_are_passed_over(serve, http, context):
    early = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
    server = serve(answering(early * 2 + answer(b"final")))

    assert http.call(context, get(server.url())).body == b"final"


def test_nothing_of_a_call_is_logged_above_debug(serve, http, context, caplog):
    caplog.set_level(logging.INFO)
    server = serve(answering(answer(b"s3cret", headers=["X: s3cret"])))

    http.call(context, get(server.url("/s3cret?s3cret"), headers={"A": "s3cret"}))

    assert caplog.records == []


def test_the_watch_sees_the_door(serve, http, context, watch):
    before = watch.through

    http.call(context, get(serve(answering(answer())).url()))

    assert watch.through == before + 2  # the name, and the connection
