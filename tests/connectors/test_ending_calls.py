"""A stop or a deadline ends an outgoing call at once, whatever it waits for."""

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.connectors.http import HttpClient
from app.connectors.network import Dialing
from app.connectors.outgoing import Body, Request
from app.connectors.resolving import Resolver
from app.domain.context import ExecutionContext, Stop
from app.domain.errors import Cancelled, DeadlineExceeded, Interrupted, StepFailed
from app.security.addresses import AddressGuard
from tests.connectors.serving import PATIENCE, answer, answering, get, read_request

AT_ONCE = 1.0  # seconds; milliseconds on an idle machine


class WatchedStop(Stop):
    """Tells when somebody waits under it, and for how many it still cares."""

    def __init__(self):
        super().__init__()
        self.watching = threading.Event()

    def add(self, waker):
        super().add(waker)
        self.watching.set()

    @property
    def registered(self):
        return len(self._wakers)


def handshake(server, connection):
    connection.recv(1)
    server.begun.set()
    server.released.wait(PATIENCE)


def no_answer(server, connection):
    read_request(connection)
    server.begun.set()
    server.released.wait(PATIENCE)


def dribble(server, connection):
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    server.begun.set()
    while not server.released.wait(0.02):
        connection.sendall(b"x")


def dribbled_head(server, connection):
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    server.begun.set()
    while not server.released.wait(0.02):
        connection.sendall(b"x")


def half_until_eof(server, connection):
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nhalf of it")
    server.begun.set()
    server.released.wait(PATIENCE)


def never_reads(server, connection):
    connection.recv(1)
    server.begun.set()
    server.released.wait(PATIENCE)


BIG = Body(bytes(64 << 20), "application/octet-stream")
SCRIPTS = [no_answer, dribbled_head, dribble, half_until_eof, never_reads]


class EndlessLookup:
    def __init__(self):
        self.begun, self.over = threading.Event(), threading.Event()

    def __call__(self, host, port):
        self.begun.set()
        self.over.wait(PATIENCE)
        return []


class Stalled:
    """A request that will wait, and the event after which it does."""

    def __init__(self, url, begun, *, body=None, lookup=None):
        method = "POST" if body else "GET"
        self.request = Request(method=method, url=url, body=body)
        self.begun = begun
        self.resolver = Resolver(lookup=lookup) if lookup else Resolver()


@pytest.fixture
def full_backlog():
    """A port that takes no further connection and refuses none."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    waiting = [socket.socket() for _ in range(4)]
    for each in waiting:
        each.settimeout(0)
        each.connect_ex(listener.getsockname())
    yield listener.getsockname()[1]
    for each in (*waiting, listener):
        each.close()


@pytest.fixture
def endless_lookup():
    """A name server that answers when the test is over."""
    lookup = EndlessLookup()
    yield lookup
    lookup.over.set()


@pytest.fixture(params=["lookup", "connect", "handshake"])
def before_http(request, serve):
    if request.param == "lookup":
        lookup = request.getfixturevalue("endless_lookup")
        return Stalled("https://slow.example", lookup.begun, lookup=lookup)
    if request.param == "connect":
        port = request.getfixturevalue("full_backlog")
        return Stalled(f"http://127.0.0.1:{port}/", None)
    server = serve(handshake)
    return Stalled(f"https://127.0.0.1:{server.port}/", server.begun)


@pytest.fixture(params=["http", "https"])
def scheme_tls(request, server_tls):
    return server_tls if request.param == "https" else None


@pytest.fixture(params=SCRIPTS, ids=lambda script: script.__name__)
def in_http(request, serve, scheme_tls):
    server = serve(request.param, scheme_tls)
    body = BIG if request.param is never_reads else None
    return Stalled(server.url(), server.begun, body=body)


def run(stalled, client_tls, context):
    """Make the call in another thread and return its future."""
    guard = AddressGuard(allow_private=True)
    client = HttpClient(
        guard, dialing=Dialing(tls=client_tls, resolver=stalled.resolver)
    )
    threads = ThreadPoolExecutor(1)
    future = threads.submit(client.call, context, stalled.request)
    threads.shutdown(wait=False)
    return future


def ends_by_stop(stalled, client_tls, stop, error):
    watched = WatchedStop()
    context = ExecutionContext("exec_1", time.monotonic() + 30, stop=watched)
    future = run(stalled, client_tls, context)
    assert (stalled.begun or watched.watching).wait(PATIENCE)

    began = time.monotonic()
    stop(context)

    assert isinstance(future.exception(PATIENCE), error)
    assert time.monotonic() - began < AT_ONCE
    assert watched.registered == 0


def ends_by_deadline(stalled, client_tls):
    watched = WatchedStop()
    began = time.monotonic()
    context = ExecutionContext("exec_1", began + 0.15, stop=watched)
    future = run(stalled, client_tls, context)

    assert isinstance(future.exception(PATIENCE), DeadlineExceeded)
    assert 0.15 <= time.monotonic() - began < 0.15 + AT_ONCE
    assert watched.registered == 0


def test_a_cancel_ends_a_call_that_is_not_connected_yet(before_http, client_tls):
    ends_by_stop(before_http, client_tls, ExecutionContext.cancel, Cancelled)


def test_a_cancel_ends_a_call_in_every_phase_of_http(in_http, client_tls):
    ends_by_stop(in_http, client_tls, ExecutionContext.cancel, Cancelled)


def test_a_deadline_ends_a_call_that_is_not_connected_yet(before_http, client_tls):
    ends_by_deadline(before_http, client_tls)


def test_a_deadline_ends_a_call_in_every_phase_of_http(in_http, client_tls):
    ends_by_deadline(in_http, client_tls)


def test_an_interrupt_ends_a_call_as_an_interrupt(serve, client_tls):
    server = serve(no_answer)
    stalled = Stalled(server.url(), server.begun)
    ends_by_stop(stalled, client_tls, ExecutionContext.interrupt, Interrupted)


def test_a_call_of_a_stopped_execution_connects_to_nothing(serve, http, context):
    server = serve(answering(answer()))
    context.cancel()

    with pytest.raises(Cancelled):
        http.call(context, get(server.url()))

    assert server.connections == 0


def test_a_finished_call_leaves_nothing_to_wake(serve, http):
    stop = WatchedStop()
    context = ExecutionContext("exec_1", time.monotonic() + 10, stop=stop)
    server = serve(answering(answer(b"done")))

    assert http.call(context, get(server.url())).body == b"done"

    assert stop.watching.is_set()
    assert stop.registered == 0


def test_a_stop_that_meets_the_end_of_a_call_never_breaks_another(serve, http):
    """Many calls side by side, every second one stopped at a random moment."""
    server = serve(answering(answer(b"x" * 10_000)))
    request = get(server.url())

    def attempt(number):
        context = ExecutionContext("exec_1", time.monotonic() + 10)
        if number % 2:
            threading.Timer(number / 100_000, context.cancel).start()
        try:
            return len(http.call(context, request).body)
        except Cancelled:
            return None

    with ThreadPoolExecutor(8) as threads:
        sizes = list(threads.map(attempt, range(200)))

    assert sizes[::2] == [10_000] * 100
    assert set(sizes[1::2]) <= {10_000, None}


@pytest.mark.parametrize("phase", ["connect", "handshake"])
def test_connecting_has_a_limit_of_its_own(phase, full_backlog, serve, context):
    port = full_backlog if phase == "connect" else serve(handshake).port
    client = HttpClient(AddressGuard(allow_private=True), dialing=Dialing(limit=0.1))

    with pytest.raises(StepFailed) as failed:
        client.call(context, get(f"https://127.0.0.1:{port}/"))

    assert (failed.value.code, failed.value.retryable) == ("timeout", True)


def test_a_name_that_nobody_resolves_in_time_is_a_timeout(endless_lookup, context):
    resolver = Resolver(lookup=endless_lookup)

    with pytest.raises(StepFailed) as failed:
        resolver.resolve(context, "slow.example", 80, seconds=0.05)

    assert (failed.value.code, failed.value.retryable) == ("timeout", True)


def test_lookups_that_hang_are_bounded_in_number(endless_lookup, context):
    resolver = Resolver(lookup=endless_lookup, limit=1)
    with pytest.raises(StepFailed):
        resolver.resolve(context, "slow.example", 80, seconds=0.01)

    with pytest.raises(StepFailed, match="too many lookups") as failed:
        resolver.resolve(context, "other.example", 80, seconds=5)

    assert failed.value.code == "connect-failed"
    assert resolver.resolve(context, "192.0.2.1", 80, seconds=5)[0].sockaddr[1] == 80
