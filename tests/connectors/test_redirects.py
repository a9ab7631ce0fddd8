"""Where the one door follows a redirect to, and with what."""

import pytest

from app.connectors.http import HttpClient
from app.connectors.network import Dialing
from app.connectors.outgoing import Body, Request
from app.connectors.resolving import Resolver
from app.security.addresses import AddressGuard
from tests.connectors.serving import Zone, answer, answering, get


class OnlyOne(AddressGuard):
    """Allows one address of this machine, as if it were the Internet."""

    def check(self, address):
        return str(address) == "127.0.0.1"


def moved(location, status=302):
    return answer(status=f"{status} Moved", headers=[f"Location: {location}"])


def test_redirects_are_followed_three_times(serve, http, context, fails):
    ways = [moved("/1"), moved("2"), moved("?3"), answer(b"here")]
    server = serve(answering(*ways))
    assert http.call(context, get(server.url("/0"))).body == b"here"
    assert [each.split()[1] for each in server.requests] == [
        b"/0",
        b"/1",
        b"/2",
        b"/2?3",
    ]

    loop = serve(answering(moved("/again")))
    failure = fails(get(loop.url()))
    assert (failure.code, failure.retryable) == ("bad-answer", False)
    assert loop.connections == 4


@pytest.fixture
def redirect(serve, http, context):
    """Send a request that is redirected, and return what was sent the second time."""

    def send(status, method):
        server = serve(answering(moved("/there", status), answer()))
        headers = {"Idempotency-Key": "key"}
        body = None if method == "HEAD" else Body(b"data", "text/plain")
        request = Request(method=method, url=server.url(), headers=headers, body=body)
        http.call(context, request)
        return server.requests[1]

    return send


@pytest.mark.parametrize(
    ("status", "method"),
    [(301, "POST"), (302, "POST"), (303, "POST"), (303, "DELETE"), (303, "PUT")],
)
def test_a_redirect_to_look_elsewhere_becomes_a_get_without_body(
    redirect, status, method
):
    sent = redirect(status, method)

    assert sent.startswith(b"GET /there HTTP/1.1\r\n")
    assert not sent.endswith(b"data")
    assert b"content-type" not in sent
    assert b"idempotency-key" not in sent


@pytest.mark.parametrize(
    ("status", "method"),
    [(301, "PUT"), (302, "DELETE"), (307, "POST"), (308, "PATCH")],
)
def test_another_redirect_repeats_method_and_body(redirect, status, method):
    sent = redirect(status, method)

    assert sent.startswith(f"{method} /there HTTP/1.1\r\n".encode())
    assert sent.endswith(b"data")
    assert b"idempotency-key: key\r\n" in sent


def test_a_redirected_head_stays_a_head(redirect):
    assert redirect(303, "HEAD").startswith(b"HEAD /there HTTP/1.1\r\n")


def test_another_origin_gets_no_header_that_may_hold_a_secret(serve, http, context):
    other = serve(answering(answer()))
    server = serve(answering(moved(other.url(), 307)))
    headers = {
        "Authorization": "Bearer s3cret",
        "Cookie": "s3cret",
        "X-Api-Key": "s3cret",
        "Host": "s3cret.example",
        "Idempotency-Key": "key",
        "Accept": "text/csv",
    }
    body = Body(b"data", "text/plain")

    http.call(
        context, Request(method="POST", url=server.url(), headers=headers, body=body)
    )

    assert server.requests[0].count(b"s3cret") == 4
    assert b"s3cret" not in other.requests[0]
    for kept in (b"key", b"text/csv", b"data", f"127.0.0.1:{other.port}".encode()):
        assert kept in other.requests[0]


def test_the_same_origin_gets_all_headers_again(serve, http, context):
    server = serve(answering(moved("/there"), answer()))

    http.call(context, get(server.url(), headers={"Authorization": "Bearer s3cret"}))

    assert b"authorization: Bearer s3cret\r\n" in server.requests[1]


def test_https_is_never_left_for_http(serve, server_tls, fails):
    plain = serve(answering(answer()))
    server = serve(answering(moved(plain.url("/?token=s3cret"))), server_tls)

    failure = fails(get(server.url()))

    assert failure.code == "bad-answer"
    assert "s3cret" not in str(failure)
    assert plain.connections == 0


@pytest.mark.parametrize(
    "location",
    [
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "http://user:pw@127.0.0.1/",
        "http://[half",
        "http://127.0.0.1:99999/",
        "http://a\\@b/",
    ],
)
def test_a_redirect_to_what_is_no_url_to_call_is_refused(serve, fails, location):
    failure = fails(get(serve(answering(moved(location))).url()))

    assert failure.code == "bad-answer"
    assert location not in str(failure)


def test_a_redirect_to_a_blocked_address_is_refused(serve, client_tls, fails):
    canary = serve(answering(answer()))
    server = serve(answering(moved(f"http://trap.example:{canary.port}/")))
    lookup = Zone(front_example=["127.0.0.1"], trap_example=["127.0.0.2"])
    guard = OnlyOne()
    client = HttpClient(
        guard, dialing=Dialing(tls=client_tls, resolver=Resolver(lookup=lookup))
    )

    failure = fails(get(f"http://front.example:{server.port}/"), client)

    assert failure.code == "blocked-address"
    assert canary.connections == 0
