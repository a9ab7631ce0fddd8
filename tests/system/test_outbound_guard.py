"""No URL, redirect or name of a tenant reaches what listens on this machine."""

import socket
import time
from collections import Counter
from collections.abc import Iterator
from ipaddress import ip_network
from urllib.parse import quote

import pytest

from app.connectors.http import HttpClient
from app.connectors.network import Dialing
from app.connectors.outgoing import Request
from app.connectors.resolving import Resolver
from app.domain.context import ExecutionContext
from app.domain.errors import StepFailed
from app.security.addresses import AddressGuard
from tests.connectors.hostile import BLOCKED, CONTROLS, UNREADABLE
from tests.system.canary import FRONT, Canary, Front
from tests.system.client import post
from tests.system.naming import NameServer
from tests.system.serving import Server
from tests.system.waiting import eventually

pytestmark = pytest.mark.system

NAMES = (".example", ".Example", ".internal", "foo.localhost")  # need a name server
FETCH = {
    "id": "fetch",
    "uses": "http.request",
    "with": {"method": "GET", "url": "{{ trigger.body.url }}"},
    "timeout": 5,
}
GOOD = "answered"
REFUSED = {"blocked-address", "invalid-settings", "bad-answer"}
NO_SUCH_NAME = "connect-failed"  # what a redirect's bytes make of dots that are none
STATUSES = (301, 302, 303, 307, 308)


@pytest.fixture
def canary() -> Iterator[Canary]:
    with Canary() as one:
        yield one


@pytest.fixture
def front() -> Iterator[Front]:
    with Front() as one:
        yield one


def spellings(canary: Canary) -> tuple[list[str], list[str]]:
    """Give URLs of private addresses, and URLs that no two parsers read alike."""
    plain = [each for each in BLOCKED.split() if not any(n in each for n in NAMES)]
    odd = [*UNREADABLE.splitlines(), *CONTROLS]
    port = str(canary.port)
    return (
        [each.replace("{port}", port) for each in plain],
        [each.replace("{port}", port) for each in odd],
    )


def fetched(server: Server, urls: list[str]) -> Counter[str]:
    """Have a workflow call each of these; count how the executions ended."""
    api = server.api()
    api.register()
    hook = api.workflow("Fetch", FETCH)["webhook_url"]
    for url in urls:
        while post(hook, {"url": url}).status != 202:
            time.sleep(0.1)  # every seat is taken
    ended = api.all_finished(within=120)
    assert len(ended) == len(urls)
    return Counter(each["error"]["code"] if each["error"] else GOOD for each in ended)


def test_no_url_and_no_redirect_of_a_tenant_reaches_this_machine(
    start, canary, front, figure
):
    server = start(SLUICE_OUTBOUND_PRIVATE="deny", SLUICE_OUTBOUND_ALLOW=f"{FRONT}/32")
    private, odd = spellings(canary)
    redirects = [
        f"{front.url}/?status={STATUSES[n % 5]}&to={quote(url, safe='')}"
        for n, url in enumerate([*private, *odd[: len(UNREADABLE.splitlines())]])
        if url.isprintable()
    ]
    urls = [*private, *odd, *redirects]

    ends = fetched(server, urls)

    figure(
        "hostile URLs, and redirects to such", f"{len(private + odd)}, {len(redirects)}"
    )
    figure("connections that the canary saw", canary.connections)
    figure("how the calls ended", dict(ends))
    assert len(private + odd) >= 60
    assert len(front.requests) >= len(redirects)  # some lead back to it
    assert canary.connections == 0
    assert ends.keys() <= REFUSED | {
        NO_SUCH_NAME,
        GOOD,
    }  # what is no URL leads back to the front


def test_the_canary_would_have_seen_them(start, canary, figure):
    server = start(
        SLUICE_OUTBOUND_PRIVATE="deny",
        SLUICE_OUTBOUND_ALLOW="127.0.0.0/8,0.0.0.0/8,::1/128,::/128",
    )
    private, _ = spellings(canary)
    here = [each for each in private if f":{canary.port}" in each]

    ends = fetched(server, here)

    figure("the same URLs where an operator allows loopback", len(here))
    figure("connections that the canary saw then", canary.connections)
    assert canary.connections >= 20
    assert ends[GOOD] >= 20


def client(names: NameServer) -> HttpClient:
    """A door that may call the front and nothing else."""
    guard = AddressGuard(allowed=[ip_network(f"{FRONT}/32")])
    return HttpClient(guard, dialing=Dialing(resolver=Resolver(lookup=names.lookup)))


def call(http: HttpClient, url: str) -> str:
    """Call a URL and say how that ended."""
    context = ExecutionContext("exec_1", time.monotonic() + 10)
    try:
        return http.call(context, Request(method="GET", url=url)).body.decode()
    except StepFailed as failed:
        return failed.code


def check_then_connect(names: NameServer, host: str, port: int) -> None:
    """Do what a client does that checks a name first, and connects by it then."""
    guard = AddressGuard(allowed=[ip_network(f"{FRONT}/32")])
    assert all(guard.check(each.address) for each in names.lookup(host, port))
    target = names.lookup(host, port)[0]
    with socket.socket(target.family) as one:
        one.connect(target.sockaddr)


def test_a_name_that_changes_its_address_is_connected_as_it_was_checked(
    canary, front, figure
):
    local = ["127.0.0.1"]
    names = NameServer(
        rebind_example=[[FRONT], local],
        again_example=[[FRONT], local],
        mixed_example=[[FRONT, "127.0.0.1"]],
        six_example=[[FRONT, "::1"]],
        mapped_example=[["::ffff:127.0.0.1"]],
        zero_example=[["0.0.0.1"]],
        cloud_example=[["169.254.169.254"]],
        naive_example=[[FRONT], local],
    )
    with names.serving():
        http = client(names)
        port = front.port
        first = call(http, f"http://rebind.example:{port}/")
        second = call(http, f"http://rebind.example:{canary.port}/")
        to = quote(f"http://again.example:{canary.port}/", safe="")
        redirected = call(http, f"http://again.example:{port}/?to={to}")
        others = {
            name: call(http, f"http://{name}.example:{canary.port}/")
            for name in ("mixed", "six", "mapped", "zero", "cloud")
        }
        seen = canary.connections
        check_then_connect(names, "naive.example", canary.port)

    figure("names that rebind to loopback, mix or map it", len(others) + 2)
    figure("connections that the canary saw", seen)
    figure("a client that checks first and connects by name", canary.connections)
    assert first == "front"
    assert (second, redirected) == ("blocked-address", "blocked-address")
    assert set(others.values()) == {"blocked-address"}
    assert names.questions["rebind.example"] == 2  # one for each call
    assert seen == 0
    eventually(lambda: canary.connections, within=20, what="the canary sees its own")
    assert canary.connections == 1
