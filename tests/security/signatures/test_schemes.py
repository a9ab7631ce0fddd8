from dataclasses import replace

import pytest

from app.security.signatures.choosing import NAMES
from app.security.signatures.signed import Verdict
from tests.security.signatures.requests import signed, verdict
from tests.security.signatures.senders import (
    BODY_ONLY,
    NOW,
    SENDERS,
    TIMED,
    UNCOVERED,
    Sender,
)

BODY = b'{"id": "evt_1", "text": "caf\xc3\xa9 \\u00e9 \xf0\x9f\x8c\xbe"}\n'
STAMPED = tuple(each for each in SENDERS if each.tolerance is not None)
COVERING = (*BODY_ONLY, *TIMED)
WITH_HEADER = tuple(each for each in SENDERS if each.send(BODY).headers)


def each(senders: tuple[Sender, ...]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("sender", senders, ids=str)


PROMISED = (
    "github stripe slack shopify standard svix gitlab gitlab-token bitbucket meta"
    " linear square zendesk zoom typeform sentry pagerduty discord telegram twilio"
    " mailgun graph openai hmac basic bearer token"
)


def test_every_promised_scheme_exists_and_has_a_sender():
    assert set(PROMISED.split()) == set(NAMES)
    assert {sender.scheme for sender in SENDERS} == set(NAMES)


@each(SENDERS)
def test_what_is_signed_as_documented_is_accepted(sender):
    assert verdict(sender, signed(sender.send(BODY))) is Verdict.OK


@each(tuple(one for one in COVERING if one.scheme != "linear"))
def test_an_empty_body_is_signed_like_any_other(sender):
    assert verdict(sender, signed(sender.send(b""))) is Verdict.OK


@each(SENDERS)
def test_another_secret_is_refused(sender):
    request = signed(sender.send(BODY))

    assert verdict(sender, request, secrets=[sender.wrong]) is Verdict.BAD


@each(SENDERS)
def test_without_any_secret_nothing_is_accepted(sender):
    assert verdict(sender, signed(sender.send(BODY)), secrets=[]) is Verdict.BAD


@each(SENDERS)
def test_any_of_several_secrets_may_match_wherever_it_stands(sender):
    request = signed(sender.send(BODY))

    for known in ([sender.wrong, sender.secret], [sender.secret, sender.wrong]):
        assert verdict(sender, request, secrets=known) is Verdict.OK


@each(COVERING)
@pytest.mark.parametrize("at", [0, 20, -1])
def test_one_flipped_bit_of_the_body_is_refused(sender, at):
    request = signed(sender.send(BODY))
    changed = bytearray(request.body)
    changed[at] ^= 1

    told = verdict(sender, replace(request, body=bytes(changed)))

    assert told in {Verdict.BAD, Verdict.MISSING}
    assert told is Verdict.BAD or sender.scheme == "linear"  # no time in what is left


@each(COVERING)
def test_one_appended_byte_is_refused(sender):
    request = signed(sender.send(BODY))

    assert verdict(sender, replace(request, body=request.body + b" ")) is Verdict.BAD


@each(SENDERS)
def test_without_its_marks_a_request_is_refused(sender):
    request = signed(sender.send(BODY))
    bare = replace(request, headers={"content-type": b"application/json"}, body=BODY)

    assert verdict(sender, bare) is Verdict.MISSING


@each(WITH_HEADER)
@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"x",
        b"\xe9" * 64,
        b"sha256=" + b"\xc3\xa9" * 32,
        b"v1=" + b"g" * 64,
        b"v1,===",
        b"v0=" + b"0" * 63,
        b"=",
        b",,,,",
        b"0" * 1_000_000,
        b"v1=" + b"0" * 64 + b",v1=" * 100_000,
        b"\0\n\r",
        "\uff11\uff12\uff13".encode(),
    ],
    ids=lambda value: repr(value[:12]),
)
def test_no_odd_header_is_accepted_whichever_it_is(sender, value):
    request = signed(sender.send(BODY))

    for name in sender.send(BODY).headers:
        headers = {**request.headers, name.lower(): value}
        told = verdict(sender, replace(request, headers=headers))
        unsigned = {"linear-delivery"}
        assert told is not Verdict.OK or name.lower() in unsigned


@each(STAMPED)
def test_a_time_at_the_edge_counts_and_one_beyond_it_is_stale(sender):
    assert sender.tolerance is not None
    for direction in (-1, 1):
        edge = NOW + direction * (sender.tolerance - 1)
        beyond = NOW + direction * (sender.tolerance + 2)
        assert verdict(sender, signed(sender.send(BODY, now=edge))) is Verdict.OK
        stale = signed(sender.send(BODY, now=beyond))
        assert verdict(sender, stale) is Verdict.STALE


@each(STAMPED)
def test_only_what_is_signed_is_called_stale(sender):
    old = signed(sender.send(BODY, now=NOW - 9999))

    assert verdict(sender, old, secrets=[sender.wrong]) is Verdict.BAD


@each(STAMPED)
def test_the_tolerance_can_be_chosen(sender):
    patient = replace(sender, options={**sender.options, "tolerance": 5000})
    request = signed(patient.send(BODY, now=NOW - 4000))

    assert verdict(patient, request) is Verdict.OK
    assert verdict(patient, request, now=NOW + 2000) is Verdict.STALE


@each(UNCOVERED)
def test_a_token_that_only_begins_right_is_refused(sender):
    request = signed(sender.send(BODY))

    assert verdict(sender, request, secrets=[sender.secret[:-1]]) is Verdict.BAD
    assert verdict(sender, request, secrets=[sender.secret + "x"]) is Verdict.BAD
