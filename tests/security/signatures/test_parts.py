"""What stands around a signature: lists, times, ids, keys."""

import base64
from dataclasses import replace

import pytest

from app.security.signatures.presets import PRESETS
from app.security.signatures.scheme import delivery_id
from app.security.signatures.signed import Signed, Verdict
from app.security.signatures.templates import Template
from tests.security.signatures import senders
from tests.security.signatures.requests import signed, verdict
from tests.security.signatures.senders import NOW, SENDERS, Sender, Sent, mac, text

BODY = b'{"n": 1}'


def named(scheme: str) -> Sender:
    return next(each for each in SENDERS if each.scheme == scheme)


def with_headers(sender: Sender, **changes: str) -> Signed:
    sent = sender.send(BODY)
    names = {name.replace("_", "-"): value for name, value in changes.items()}
    headers = {k.lower(): v for k, v in sent.headers.items()} | names
    return signed(replace(sent, headers=headers))


def test_foreign_entries_before_the_right_one_do_no_harm():
    stripe = named("stripe")
    right = stripe.send(BODY).headers["Stripe-Signature"]
    for listed in (
        right.replace(",v1=", f",v1={'0' * 64},v1="),
        right.replace(",", " , "),
        f"{right},v2=x,nonsense,=,v1",
    ):
        assert verdict(stripe, with_headers(stripe, stripe_signature=listed)) == "ok"

    standard = named("standard")
    right = standard.send(BODY).headers["webhook-signature"]
    foreign = f"v1,{'A' * 43}= v1a,{'A' * 86}== v2,x"
    listed = f"{foreign} {right}"
    assert verdict(standard, with_headers(standard, webhook_signature=listed)) == "ok"


def test_no_more_than_ten_signatures_are_looked_at():
    pagerduty = named("pagerduty")
    right = pagerduty.send(BODY).headers["X-PagerDuty-Signature"]
    wrong = ",".join([f"v1={'0' * 64}"] * 9)
    tenth = with_headers(pagerduty, x_pagerduty_signature=f"{wrong},{right}")
    last = f"{wrong},v1={'1' * 64},{right}"
    eleventh = with_headers(pagerduty, x_pagerduty_signature=last)

    assert verdict(pagerduty, tenth) is Verdict.OK
    assert verdict(pagerduty, eleventh) is Verdict.BAD


def test_capital_hexadecimal_digits_and_prefixes_are_as_good():
    github = named("github")
    capital = github.send(BODY).headers["X-Hub-Signature-256"].upper()

    assert verdict(github, with_headers(github, x_hub_signature_256=capital)) == "ok"


@pytest.mark.parametrize(
    "at",
    [
        "",
        " ",
        "1e9",
        "+1767225600",
        "-1",
        "1767225600.0",
        "\uff11\uff17\uff16\uff17\uff12\uff12\uff15\uff16\uff10\uff10",
        "0x69",
        "1_767_225_600",
        "1" * 14,
        "9" * 5000,
        "NaN",
        "inf",
    ],
)
def test_a_time_that_is_no_whole_number_is_no_time(at):
    slack = named("slack")
    signature = mac(slack.secret.encode(), f"v0:{at}:".encode() + BODY).hex()
    headers = {"X-Slack-Signature": f"v0={signature}", "X-Slack-Request-Timestamp": at}

    told = verdict(slack, signed(Sent(BODY, headers)))

    assert told in {Verdict.MALFORMED, Verdict.MISSING}


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-01-01T00:00:00Z", "ok"),
        ("2026-01-01T00:00:00.123456Z", "ok"),
        ("2026-01-01T01:00:00+01:00", "ok"),
        ("2026-01-01T01:00:00Z", "stale"),
        ("2026-01-01T00:00:00", "malformed"),
        ("2026-13-01T00:00:00Z", "malformed"),
        ("0000-01-01T00:00:00Z", "malformed"),
        ("0001-01-01T00:00:00+23:59", "stale"),
        ("2026-01-01T00:00:00+99:00", "malformed"),
        ("2026-01-01T00:00:00Z ", "ok"),
        ("20260101T000000Z", "malformed"),
        ("1767225600", "malformed"),
    ],
)
def test_zendesk_tells_the_time_as_iso_8601(at, expected):
    zendesk, name = named("zendesk"), "X-Zendesk-Webhook-Signature"
    signature = text(mac(zendesk.secret.encode(), at.strip().encode() + BODY))

    told = verdict(
        zendesk, signed(Sent(BODY, {name: signature, f"{name}-Timestamp": at}))
    )

    assert told == expected


def test_two_times_are_no_time():
    stripe = named("stripe")
    twice = "t=1," + stripe.send(BODY).headers["Stripe-Signature"]

    told = verdict(stripe, with_headers(stripe, stripe_signature=twice))

    assert told is Verdict.MISSING


@pytest.mark.parametrize("own", ["a.b", "x" * 257, "a b", "caf\u00e9", "\n"])
def test_an_id_that_could_end_elsewhere_is_refused(own):
    sender = replace(named("standard"), signer=senders.standard(delivery=own))

    assert verdict(sender, signed(sender.send(BODY))) is Verdict.MALFORMED


def test_the_dots_of_an_id_cannot_move_into_the_time():
    """``{id}.{ts}.{body}`` with the body ``1.2.{}`` has another reading."""
    standard = named("standard")
    body = f"{int(NOW)}.payload".encode()
    sent = senders.standard(delivery="msg_1")(standard.secret, body, NOW, "")
    moved = {
        **sent.headers,
        "webhook-id": f"msg_1.{int(NOW)}",
        "webhook-timestamp": str(int(NOW)),
    }

    told = verdict(standard, signed(Sent(b"payload", moved)))

    assert told is Verdict.MALFORMED


@pytest.mark.parametrize("size", [24, 64])
def test_a_standard_key_may_lack_its_prefix(size):
    key = base64.b64encode(bytes(size)).decode()
    sender = replace(named("standard"), secret=key)

    assert verdict(sender, signed(sender.send(BODY))) is Verdict.OK


FAULTS = [
    ("standard", "whsec_" + base64.b64encode(bytes(23)).decode()),
    ("standard", "whsec_" + base64.b64encode(bytes(65)).decode()),
    ("standard", "whsec_" + base64.urlsafe_b64encode(b"\xff" * 30).decode()),
    ("standard", "whsec_" + base64.b64encode(bytes(25)).decode().rstrip("=")),
    ("standard", "whpk_" + base64.b64encode(bytes(31)).decode()),
    ("svix", ""),
    ("discord", "0" * 63),
    ("discord", "g" * 64),
    ("basic", "miller"),
    ("github", ""),
    ("twilio", ""),
    ("graph", ""),
]


@pytest.mark.parametrize(("scheme", "secret"), FAULTS)
def test_a_secret_of_another_form_is_a_fault(scheme, secret):
    fault = PRESETS[scheme].fault(secret.encode())

    assert fault is not None
    assert fault.startswith("must be ")
    assert not secret or secret not in fault


@pytest.mark.parametrize("sender", [s for s in SENDERS if s.scheme in PRESETS], ids=str)
def test_a_secret_of_the_right_form_is_none(sender):
    assert PRESETS[sender.scheme].fault(sender.secret.encode()) is None


def test_a_key_that_is_no_point_of_the_curve_verifies_nothing():
    discord = named("discord")
    for key in ("0" * 64, "f" * 64, "02" + "0" * 62):
        request = signed(discord.send(BODY))
        assert verdict(discord, request, secrets=[key]) is Verdict.BAD


def test_a_template_puts_the_exact_bytes_together():
    template = Template.parse("a:{ts}:{body}{url}")

    assert template.fill({"{ts}": b"", "{body}": b"{ts}\xff", "{url}": b"u"}) == (
        b"a::{ts}\xffu"
    )


@pytest.mark.parametrize("wrong", ["{bod}", "{body", "body}", "{}", "{{body}}"])
def test_a_template_with_other_braces_is_refused(wrong):
    with pytest.raises(ValueError, match=r"only these parts"):
        Template.parse(wrong)


IDS = [
    ("github", {"x-github-delivery": "d-1"}, b"{}", "d-1"),
    ("bitbucket", {"x-request-uuid": "u-1", "x-request-id": "r-1"}, b"{}", "u-1"),
    ("bitbucket", {"x-request-id": "r-1"}, b"{}", "r-1"),
    ("shopify", {"x-shopify-webhook-id": "w-1"}, b"{}", "w-1"),
    ("sentry", {"request-id": "s-1"}, b"{}", "s-1"),
    ("linear", {"linear-delivery": "l-1"}, b"{}", "l-1"),
    ("zoom", {"x-zm-trackingid": "z-1"}, b"{}", "z-1"),
    ("standard", {"webhook-id": "m-1"}, b"{}", "m-1"),
    ("svix", {"svix-id": "m-2"}, b"{}", "m-2"),
    ("openai", {"webhook-id": "m-3"}, b"{}", "m-3"),
    ("gitlab", {"webhook-id": "m-4"}, b"{}", "m-4"),
    ("gitlab-token", {"idempotency-key": "i-1"}, b"{}", "i-1"),
    ("gitlab-token", {"x-gitlab-event-uuid": "e-1"}, b"{}", "e-1"),
    ("zendesk", {"x-zendesk-webhook-invocation-id": "v-1"}, b"{}", "v-1"),
    ("twilio", {"i-twilio-idempotency-token": "t-1"}, b"{}", "t-1"),
    ("stripe", {}, b'{"id": "evt_1"}', "evt_1"),
    ("typeform", {}, b'{"event_id": "f-1"}', "f-1"),
    ("square", {}, b'{"event_id": "q-1"}', "q-1"),
    ("pagerduty", {}, b'{"event": {"id": "p-1"}}', "p-1"),
    ("slack", {}, b'{"event_id": "Ev1"}', "Ev1"),
    ("telegram", {}, b'{"update_id": 10000}', "10000"),
    ("discord", {}, b'{"id": "1"}', "1"),
    ("mailgun", {}, b'{"signature": {"token": "k-1"}}', "k-1"),
    ("graph", {}, b'{"value": [{"id": "a"}, {"id": "b"}]}', "a\nb"),
    ("github", {}, b"{}", None),
    ("github", {"x-github-delivery": ""}, b"{}", None),
    ("meta", {}, b'{"id": "x"}', None),
    ("stripe", {}, b"[]", None),
    ("stripe", {}, b'{"id": {}}', None),
    ("stripe", {}, b'{"id": true}', None),
    ("stripe", {}, b"{", None),
    ("graph", {}, b'{"value": [{"id": "a"}, {}]}', None),
    ("basic", {"authorization": "x"}, b"{}", None),
]


@pytest.mark.parametrize(("scheme", "headers", "body", "expected"), IDS)
def test_a_delivery_has_the_id_that_its_sender_repeats(scheme, headers, body, expected):
    assert delivery_id(PRESETS[scheme], signed(Sent(body, headers))) == expected


def test_a_command_of_slack_is_a_form_and_has_its_trigger_as_id():
    form = {"content-type": "application/x-www-form-urlencoded"}
    request = signed(Sent(b"command=%2Fgrind&trigger_id=13.37", form))

    assert delivery_id(PRESETS["slack"], request) == "13.37"


def test_only_headers_that_hold_a_secret_are_told_apart():
    telling = {name: sorted(each.telling) for name, each in PRESETS.items()}

    assert {name: names for name, names in telling.items() if names} == {
        "gitlab-token": ["x-gitlab-token"],
        "telegram": ["x-telegram-bot-api-secret-token"],
        "bearer": ["authorization"],
        "basic": ["authorization"],
    }
