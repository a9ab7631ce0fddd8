"""The schemes that exist, as data.

Each is what its vendor documents; docs/security.md says what it was tested with.
"""

from collections.abc import Mapping
from types import MappingProxyType

from app.security.signatures.graph import Graph, Items
from app.security.signatures.instants import Timestamp
from app.security.signatures.keys import HEX, PAIR, WHPK, WHSEC
from app.security.signatures.marks import Algorithm, Encoding, Mark
from app.security.signatures.scheme import Scheme
from app.security.signatures.signature import Signature
from app.security.signatures.signed import Header, Source, field
from app.security.signatures.templates import Template
from app.security.signatures.twilio import Delivery, Twilio

TIMED = frozenset({"tolerance"})
AT_URL = frozenset({"url"})


def _hex(name: str, prefix: bytes = b"", separator: bytes = b"") -> tuple[Mark, ...]:
    return (Mark(where=Header(name, prefix, separator)),)


def _base64(name: str, prefix: bytes = b"") -> tuple[Mark, ...]:
    return (Mark(where=Header(name, prefix), encoding=Encoding.BASE64),)


def _plain(name: str) -> Signature:
    mark = Mark(where=Header(name), algorithm=Algorithm.PLAIN, encoding=Encoding.RAW)
    return Signature(marks=(mark,))


def _standard(name: str, family: str = "webhook") -> Scheme:
    """Standard Webhooks: two kinds of signatures, over id, time and body."""
    header, own = f"{family}-signature", Header(f"{family}-id")
    shared = Mark(
        where=Header(header, b"v1,", b" "), encoding=Encoding.BASE64, key=WHSEC
    )
    public = Mark(
        where=Header(header, b"v1a,", b" "),
        algorithm=Algorithm.ED25519,
        encoding=Encoding.BASE64,
        key=WHPK,
    )
    judge = Signature(
        marks=(shared, public),
        template=Template.parse("{id}.{ts}.{body}"),
        timestamp=Timestamp(Header(f"{family}-timestamp")),
        id=own,
    )
    return Scheme(name=name, judge=judge, ids=(own,), options=TIMED)


def _body_only(name: str, marks: tuple[Mark, ...], *ids: Source) -> Scheme:
    return Scheme(name=name, judge=Signature(marks=marks), ids=ids)


def _timed(  # noqa: PLR0913
    name: str,
    marks: tuple[Mark, ...],
    template: str,
    timestamp: Timestamp,
    *ids: Source,
    signed_id: Source | None = None,
    handshake: str | None = None,
    accepted: int = 202,
) -> Scheme:
    judge = Signature(
        marks=marks,
        template=Template.parse(template),
        timestamp=timestamp,
        id=signed_id,
    )
    ids = ids if signed_id is None else (signed_id,)
    return Scheme(
        name=name,
        judge=judge,
        ids=ids,
        handshake=handshake,
        accepted=accepted,
        options=TIMED,
    )


def _all() -> tuple[Scheme, ...]:
    return (
        _body_only(
            "github",
            _hex("x-hub-signature-256", b"sha256="),
            Header("x-github-delivery"),
        ),
        _body_only(
            "bitbucket",
            _hex("x-hub-signature", b"sha256="),
            Header("x-request-uuid"),
            Header("x-request-id"),
        ),
        _body_only(
            "shopify",
            _base64("x-shopify-hmac-sha256"),
            Header("x-shopify-webhook-id"),
        ),
        _body_only(
            "typeform", _base64("typeform-signature", b"sha256="), field("event_id")
        ),
        _body_only("sentry", _hex("sentry-hook-signature"), Header("request-id")),
        _body_only(
            "pagerduty",
            _hex("x-pagerduty-signature", b"v1=", b","),
            field("event.id"),
        ),
        Scheme(
            name="meta",
            judge=Signature(marks=_hex("x-hub-signature-256", b"sha256=")),
            accepted=200,
            handshake="meta",
            options=frozenset({"verify_token"}),
        ),
        _timed(
            "linear",
            _hex("linear-signature"),
            "{body}",
            Timestamp(field("webhookTimestamp"), "ms", 60.0),
            Header("linear-delivery"),
            accepted=200,
        ),
        Scheme(
            name="square",
            judge=Signature(
                marks=_base64("x-square-hmacsha256-signature"),
                template=Template.parse("{url}{body}"),
            ),
            ids=(field("event_id"),),
            options=AT_URL,
        ),
        _timed(
            "stripe",
            _hex("stripe-signature", b"v1=", b","),
            "{ts}.{body}",
            Timestamp(Header("stripe-signature", b"t=", b",")),
            field("id"),
        ),
        _timed(
            "slack",
            _hex("x-slack-signature", b"v0="),
            "v0:{ts}:{body}",
            Timestamp(Header("x-slack-request-timestamp")),
            field("event_id", "trigger_id"),
            handshake="slack",
        ),
        _timed(
            "zoom",
            _hex("x-zm-signature", b"v0="),
            "v0:{ts}:{body}",
            Timestamp(Header("x-zm-request-timestamp")),
            Header("x-zm-trackingid"),
            handshake="zoom",
        ),
        _timed(
            "zendesk",
            _base64("x-zendesk-webhook-signature"),
            "{ts}{body}",
            Timestamp(Header("x-zendesk-webhook-signature-timestamp"), "iso8601"),
            Header("x-zendesk-webhook-invocation-id"),
        ),
        _timed(
            "discord",
            (
                Mark(
                    where=Header("x-signature-ed25519"),
                    algorithm=Algorithm.ED25519,
                    key=HEX,
                ),
            ),
            "{ts}{body}",
            Timestamp(Header("x-signature-timestamp")),
            field("id"),
            handshake="discord",
        ),
        _timed(
            "mailgun",
            (Mark(where=field("signature.signature", "signature")),),
            "{ts}{id}",
            Timestamp(field("signature.timestamp", "timestamp")),
            signed_id=field("signature.token", "token"),
            accepted=200,
        ),
        _standard("standard"),
        _standard("svix", "svix"),
        _standard("openai"),
        _standard("gitlab"),
        Scheme(
            name="gitlab-token",
            judge=_plain("x-gitlab-token"),
            ids=(Header("idempotency-key"), Header("x-gitlab-event-uuid")),
        ),
        Scheme(
            name="telegram",
            judge=_plain("x-telegram-bot-api-secret-token"),
            ids=(field("update_id"),),
        ),
        Scheme(name="twilio", judge=Twilio(), ids=(Delivery(),), options=AT_URL),
        Scheme(name="graph", judge=Graph(), ids=(Items(),), handshake="graph"),
        Scheme(
            name="bearer",
            judge=Signature(
                marks=(
                    Mark(
                        where=Header("authorization", b"Bearer "),
                        algorithm=Algorithm.PLAIN,
                        encoding=Encoding.RAW,
                    ),
                )
            ),
        ),
        Scheme(
            name="basic",
            judge=Signature(
                marks=(
                    Mark(
                        where=Header("authorization", b"Basic "),
                        algorithm=Algorithm.PLAIN,
                        encoding=Encoding.BASE64,
                        key=PAIR,
                    ),
                )
            ),
        ),
    )


PRESETS: Mapping[str, Scheme] = MappingProxyType({each.name: each for each in _all()})
