"""A sample of every peer's requests over real HTTP, to the shipped server."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.peers.npm import Node
from tests.peers.peers import Peer, flipped, in_node, in_python, reserialised
from tests.security.signatures.senders import SENDERS, URL, Sender, Sent
from tests.system.client import Api, send
from tests.system.serving import Server

pytestmark = pytest.mark.system
EVERY = 25  # payloads; their sizes differ
NODES = ("octokit", "stripe (npm)", "standardwebhooks (npm)", "linear", "shopify")
QUIET = {"id": "note", "uses": "set", "with": {"value": "{{ trigger.body }}"}}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    one = Server(tmp_path_factory.mktemp("peers"))
    one.start()
    yield one
    one.close()


@pytest.fixture(scope="module")
def api(server: Server) -> Api:
    one = server.api()
    one.register()
    return one


def guarded(api: Api, sender: Sender, name: str) -> str:
    """The URL of a hook that takes only what this sender signs."""
    verify = dict(sender.verify)
    if sender.scheme in {"hmac", "square", "twilio"}:
        verify["url"] = URL
    trigger = {"type": "webhook", "verify": verify}
    definition = {"trigger": trigger, "steps": [QUIET]}
    made = api.call("POST", "/workflows", {"name": name, "definition": definition})
    url: str = made["webhook_url"]
    return url


def deliver(hook: str, sent: Sent, **changes: str) -> int:
    headers = {"Content-Type": "application/json", **sent.headers, **changes}
    url = f"{hook}?{sent.query}" if sent.query else hook
    return send("POST", url, body=sent.body, headers=headers).status


def check(api: Api, peer: Peer, bodies: list[bytes]) -> int:
    """Send what is right, and what is not; gives the number of requests."""
    hook = guarded(api, peer.sender, str(peer))
    right = peer.sent(bodies[::EVERY])
    wrong = [flipped(each, at) for at, each in enumerate(right)]
    wrong += [
        reserialised(each) for each in right if "Content-Type" not in each.headers
    ]

    assert {deliver(hook, each) for each in right} <= {200, 202}
    assert {deliver(hook, each) for each in wrong} == {401}
    for value in ("\u00e9" * 40, "x" * 8000, "v1=" + "0" * 64):
        for name in right[0].headers.keys() - {"Content-Type", "Linear-Delivery"}:
            assert deliver(hook, right[0], **{name: value}) == 401
    return len(right) + len(wrong)


@pytest.mark.parametrize("peer", in_python(), ids=str)
def test_a_library_for_python_is_understood_by_the_real_server(
    api: Api, peer: Peer, bodies: list[bytes], record_property: Any
):
    record_property(f"{peer}: requests over HTTP", check(api, peer, bodies))


@pytest.mark.parametrize("at", range(len(NODES)), ids=NODES)
def test_a_library_for_node_is_understood_by_the_real_server(
    api: Api, node: Node, at: int, bodies: list[bytes], record_property: Any
):
    peer = in_node(node)[at]

    record_property(f"{peer}: requests over HTTP", check(api, peer, bodies))


@pytest.mark.parametrize("sender", SENDERS, ids=str)
def test_every_scheme_is_understood_by_the_real_server(
    api: Api, sender: Sender, bodies: list[bytes]
):
    peer = Peer("the formula", sender)
    hook = guarded(api, sender, f"{sender} {sender.secret[:6]}")
    [sent] = peer.sent(bodies[:1])

    assert deliver(hook, sent) in {200, 202}
    assert deliver(hook, Sent(bodies[0], {}, sent.query)) == 401


def test_no_secret_reaches_the_log(server: Server):
    written = server.written()

    assert "Webhook signature refused" in written
    assert [each.scheme for each in SENDERS if each.secret in written] == []
