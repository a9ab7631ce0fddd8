"""Vendors' libraries and our receiver judge the same requests, and agree on all.

In this process: the whole receiver, from the delivery to the answer.
"""

from collections.abc import Callable

import pytest

from tests.peers.gate import Gate
from tests.peers.npm import Node
from tests.peers.peers import Peer, flipped, in_node, in_python, reserialised
from tests.security.signatures.senders import SENDERS, Sender, Sent

pytestmark = pytest.mark.system
NODES = ("octokit", "stripe (npm)", "standardwebhooks (npm)", "linear", "shopify")


def disagreements(peer: Peer, bodies: list[bytes]) -> int:
    """Count the requests on which our verdict, or the peer's, is not the right one."""
    gate, sent = Gate(peer.sender), peer.sent(bodies)
    changed = [flipped(each, at) for at, each in enumerate(sent)]
    rewritten = [reserialised(each) for each in sent if not _is_form(each)]
    right = [gate.lets_in(each) for each in sent]
    wrong = [gate.lets_in(each) for each in (*changed, *rewritten)]
    other = Gate(peer.sender, secret=peer.sender.wrong)
    wrong += [other.lets_in(each) for each in sent]
    if peer.judge is not None:
        right += peer.judge(peer.sender, sent)
        wrong += peer.judge(peer.sender, [*changed, *rewritten])
    return right.count(False) + wrong.count(True)


def _is_form(sent: Sent) -> bool:
    return "Content-Type" in sent.headers


@pytest.mark.parametrize("peer", in_python(), ids=str)
def test_what_a_library_for_python_signs_or_judges_we_judge_alike(
    peer: Peer, bodies: list[bytes], agreement: Callable[..., None]
):
    found = disagreements(peer, bodies)

    agreement(str(peer.sender), peer.name, len(bodies), found)
    assert found == 0


@pytest.mark.parametrize("at", range(len(NODES)), ids=NODES)
def test_what_a_library_for_node_signs_or_judges_we_judge_alike(
    at: int, node: Node, bodies: list[bytes], agreement: Callable[..., None]
):
    peer = in_node(node)[at]

    found = disagreements(peer, bodies)

    agreement(str(peer.sender), peer.name, len(bodies), found)
    assert found == 0


@pytest.mark.parametrize(
    "sender", [each for each in SENDERS if each.covers_body], ids=str
)
def test_every_payload_passes_every_scheme_that_signs_bodies_by_its_formula(
    sender: Sender, bodies: list[bytes], agreement: Callable[..., None]
):
    found = disagreements(Peer("the formula", sender), bodies)

    agreement(str(sender), "the formula", len(bodies), found)
    assert found == 0
