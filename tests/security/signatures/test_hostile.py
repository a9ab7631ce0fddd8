"""Whatever a stranger sends: one verdict, never an exception, never OK."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.security.handshakes import HANDSHAKES
from app.security.signatures import choosing
from app.security.signatures.scheme import Scheme, delivery_id, verify
from app.security.signatures.signed import Signed, Verdict
from tests.security.signatures.requests import signed
from tests.security.signatures.senders import NOW, SENDERS
from tests.security.signatures.strangers import damaged, stranger

pytestmark = pytest.mark.system  # thousands of requests a scheme


def judged(scheme: Scheme, request: Signed, secrets: list[bytes]) -> Verdict:
    """Do all that is done with a request, and return the verdict."""
    told = verify(scheme, request, secrets, NOW)
    assert isinstance(told, Verdict)
    assert delivery_id(scheme, request) != ""
    handshake = HANDSHAKES.get(scheme.handshake or "")
    if handshake is not None and handshake.asked(request):
        handshake.answer(request, secrets)
    return told


@pytest.mark.parametrize("sender", SENDERS, ids=str)
def test_no_stranger_is_let_in_and_none_breaks_anything(sender):
    scheme = choosing.choose(sender.verify)
    secrets = [sender.secret.encode(), sender.wrong.encode()]
    honest = signed(sender.send(b'{"id": "evt_1"}'))

    @settings(max_examples=200, deadline=None, database=None)
    @given(st.integers(0, 2**64))
    def holds(seed: int) -> None:
        random = Random(seed)  # noqa: S311 - a test that can be repeated
        told = judged(scheme, stranger(random, honest), secrets)
        assert told is not Verdict.OK
        changed = damaged(random, honest)
        if judged(scheme, changed, secrets) is Verdict.OK and sender.covers_body:
            assert changed.body == honest.body

    holds()
