"""Whatever a stranger sends: one verdict, never an exception, never OK."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.security.handshakes import HANDSHAKES
from app.security.signatures import choosing
from app.security.signatures.scheme import delivery_id, verify
from app.security.signatures.signed import Signed, Verdict
from tests.security.signatures.senders import NOW, SENDERS, URL, Sender

KINDS = [b"application/json", b"application/x-www-form-urlencoded", b"text/plain"]
ODD = [b"v1=", b"sha256=", b"v0=", b"t=1767225600", b"v1,", b"Basic ", b"Bearer "]
NAMES = ["type", "event", "payload", "plainToken", "challenge", "value", "signature"]
NAMES += ["clientState", "webhookTimestamp", "timestamp", "token", "id", "event_id"]
WORDS = ["url_verification", "endpoint.url_validation", "subscribe", "\ud7ff"]
QUERIES = [
    "hub.mode=subscribe&hub.challenge=1",
    "validationToken=%00",
    "bodySHA256=%ff",
]

texts = st.one_of(st.text(max_size=40), st.sampled_from(WORDS))
values: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), texts),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(NAMES) | texts, inner, max_size=4),
    ),
    max_leaves=8,
)
documents = values.map(lambda value: json.dumps(value).encode())
bodies = st.one_of(st.binary(max_size=200), documents)
numbers = st.integers(-(10**14), 10**14).map(lambda number: b"%d" % number)
marks = st.one_of(
    st.binary(max_size=80),
    numbers,
    st.lists(
        st.tuples(st.sampled_from(ODD), st.binary(max_size=70).map(bytes.hex)).map(
            lambda pair: pair[0] + pair[1].encode()
        ),
        max_size=14,
    ).map(b",".join),
    st.sampled_from([b"\xff" * 9000, b"0" * 64, b"A" * 43 + b"="]),
)
queries = st.one_of(st.text(max_size=40), st.sampled_from(QUERIES))


@st.composite
def requests(draw: Any, names: list[str]) -> Signed:
    headers = {name: draw(marks) for name in names if draw(st.booleans())}
    headers["content-type"] = draw(st.sampled_from(KINDS) | st.binary(max_size=30))
    return Signed(
        body=draw(bodies),
        headers=headers,
        method=draw(st.sampled_from(["GET", "POST", "BREW"])),
        url=URL,
        query=draw(queries),
    )


def check(sender: Sender, examples: int) -> None:
    scheme = choosing.choose(sender.verify)
    secrets = [sender.secret.encode(), sender.wrong.encode()]
    names = [name.lower() for name in sender.send(b"{}").headers]

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(requests(names))
    def holds(request: Signed) -> None:
        told = verify(scheme, request, secrets, NOW)
        assert isinstance(told, Verdict)
        assert told is not Verdict.OK
        own = delivery_id(scheme, request)
        assert own is None or own != ""
        handshake = HANDSHAKES.get(scheme.handshake or "")
        if handshake is not None and handshake.asked(request):
            handshake.answer(request, secrets)

    holds()


@pytest.mark.parametrize("sender", SENDERS, ids=str)
def test_no_stranger_is_let_in_and_none_breaks_anything(sender):
    check(sender, 200)


@pytest.mark.system
@pytest.mark.parametrize("sender", SENDERS, ids=str)
def test_ten_thousand_strangers_are_refused(sender, record_property):
    check(sender, 10_000)

    record_property(f"{sender.scheme}: hostile requests refused", 10_000)
