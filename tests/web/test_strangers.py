"""What strangers send, through the whole receiver: an answer, and never a 5xx."""

import time
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.security.signatures.signed import Signed
from tests.security.signatures.requests import signed
from tests.security.signatures.senders import SENDERS, Sender
from tests.security.signatures.strangers import damaged, stranger
from tests.web.receiving import Rig
from tests.web.test_doors import TOKEN, published


def status(rig: Rig, request: Signed) -> int:
    """Deliver a request, and commit it if it is let in."""
    headers = {k: v.decode("latin-1") for k, v in request.headers.items()}
    runs = len(rig.desk.runs)
    pending = rig.admit(
        method=request.method, query=request.query, headers=headers, body=request.body
    )
    if len(rig.desk.runs) > runs:
        rig.desk.commit()
    return pending.answer().status


def check(sender: Sender, examples: int) -> None:
    rig = Rig()
    options = {"verify_token": "t-1"} if sender.scheme == "meta" else {}
    verify = {**sender.verify, **options}
    rig.stored.known[TOKEN] = published(verify=verify, methods=["GET", "POST"])
    honest = signed(sender.send(b'{"id": "evt_1"}', now=time.time()))

    @settings(max_examples=examples, deadline=None, database=None)
    @given(st.integers(0, 2**64))
    def holds(seed: int) -> None:
        random = Random(seed)  # noqa: S311 - a test that can be repeated
        runs = len(rig.desk.runs)
        assert status(rig, stranger(random, honest)) in {200, 401, 405}
        assert len(rig.desk.runs) == runs
        changed = damaged(random, honest)
        assert status(rig, changed) in {200, 202, 401}
        if len(rig.desk.runs) > runs and sender.covers_body:
            assert changed.body == honest.body

    holds()


@pytest.mark.parametrize("sender", SENDERS, ids=str)
def test_every_stranger_gets_an_answer_that_is_no_fault_of_ours(sender):
    check(sender, 30)


@pytest.mark.system
@pytest.mark.parametrize("sender", SENDERS, ids=str)
def test_ten_thousand_strangers_get_an_answer(sender, record_property):
    check(sender, 10_000)

    record_property(f"{sender}: hostile requests answered, none with 5xx", 20_000)
