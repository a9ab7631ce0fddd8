"""Vendors' own libraries, each signing for us, judging with us, or both.

Imported where they are used, so that the quick tests, which only collect, stay quick.
"""
# ruff: noqa: PLC0415

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import urlencode

from tests.peers.npm import Node
from tests.security.signatures.senders import SENDERS, URL, Sender, Sent

Sign = Callable[[Sender, list[bytes]], list[Sent]]
Judge = Callable[[Sender, list[Sent]], list[bool]]


@dataclass(frozen=True)
class Peer:
    """One library, and the scheme that it speaks."""

    name: str
    sender: Sender  # with the secret that both use
    sign: Sign | None = None  # none: the formula signs
    judge: Judge | None = None  # none: the library only signs

    def __str__(self) -> str:
        return f"{self.sender} by {self.name}"

    def sent(self, bodies: list[bytes]) -> list[Sent]:
        """Sign every body about now."""
        if self.sign is not None:
            return self.sign(self.sender, bodies)
        return [self.sender.send(each, now=time.time()) for each in bodies]


def named(scheme: str) -> Sender:
    return next(each for each in SENDERS if each.scheme == scheme)


def id_of(body: bytes) -> str:
    """A delivery's id, so that none is taken for another."""
    return "msg_" + hashlib.sha256(body).hexdigest()[:16]


def each(sign: Callable[[Sender, str], Sent]) -> Sign:
    return lambda sender, bodies: [sign(sender, body.decode()) for body in bodies]


def asked(judge: Callable[[Sender, str, dict[str, str]], object]) -> Judge:
    """What a library does not return, it raises."""

    def one(sender: Sender, sent: Sent) -> bool:
        names = {name.lower(): value for name, value in sent.headers.items()}
        try:
            return judge(sender, sent.body.decode(), names) is not False
        except Exception:  # noqa: BLE001 - every library has its own
            return False

    return lambda sender, sents: [one(sender, sent) for sent in sents]


@each
def stripe_signs(sender: Sender, body: str) -> Sent:
    from stripe import WebhookSignature

    header = WebhookSignature.generate_signature_header(body, sender.secret)
    return Sent(body.encode(), {"Stripe-Signature": header})


@asked
def stripe_judges(sender: Sender, body: str, headers: dict[str, str]) -> object:
    from stripe import WebhookSignature

    return WebhookSignature.verify_header(
        body, headers["stripe-signature"], sender.secret, 300
    )


@each
def slack_signs(sender: Sender, body: str) -> Sent:
    from slack_sdk.signature import SignatureVerifier

    at = str(int(time.time()))
    signature = SignatureVerifier(sender.secret).generate_signature(
        timestamp=at, body=body
    )
    assert signature is not None
    headers = {"X-Slack-Request-Timestamp": at, "X-Slack-Signature": signature}
    return Sent(body.encode(), headers)


@asked
def slack_judges(sender: Sender, body: str, headers: dict[str, str]) -> object:
    from slack_sdk.signature import SignatureVerifier

    return SignatureVerifier(sender.secret).is_valid(
        body, headers["x-slack-request-timestamp"], headers["x-slack-signature"]
    )


@each
def standard_signs(sender: Sender, body: str) -> Sent:
    """With entries of other versions in front of the right one."""
    from standardwebhooks import Webhook

    at = datetime.now(UTC).replace(microsecond=0)
    own = id_of(body.encode())
    signature = Webhook(sender.secret).sign(own, at, body)
    foreign = f"v1,{'A' * 43}= v1a,{'A' * 86}== "
    headers = {
        "webhook-id": own,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": foreign + signature,
    }
    return Sent(body.encode(), headers)


@asked
def standard_judges(sender: Sender, body: str, headers: dict[str, str]) -> object:
    from standardwebhooks import Webhook

    return Webhook(sender.secret).verify(body, headers)


@each
def svix_signs(sender: Sender, body: str) -> Sent:
    from svix.webhooks import Webhook

    at = datetime.now(UTC).replace(microsecond=0)
    own = id_of(body.encode())
    headers = {
        "svix-id": own,
        "svix-timestamp": str(int(at.timestamp())),
        "svix-signature": Webhook(sender.secret).sign(own, at, body),
    }
    return Sent(body.encode(), headers)


@asked
def svix_judges(sender: Sender, body: str, headers: dict[str, str]) -> object:
    from svix.webhooks import Webhook

    Webhook(sender.secret).verify(body, headers)
    return True


def openai_judges(sender: Sender, sents: list[Sent]) -> list[bool]:
    from openai import OpenAI

    client = OpenAI(api_key="unused", webhook_secret=sender.secret)
    judge = asked(lambda _, *request: client.webhooks.verify_signature(*request))
    return judge(sender, sents)


@asked
def square_judges(sender: Sender, body: str, headers: dict[str, str]) -> object:
    from square.utils.webhooks_helper import verify_signature

    return verify_signature(
        request_body=body,
        signature_header=headers["x-square-hmacsha256-signature"],
        signature_key=sender.secret,
        notification_url=URL,
    )


@each
def nacl_signs(_: Sender, body: str) -> Sent:
    from nacl.signing import SigningKey

    at = str(int(time.time()))
    signed = SigningKey(bytes(range(1, 33))).sign((at + body).encode())
    headers = {
        "X-Signature-Ed25519": signed.signature.hex(),
        "X-Signature-Timestamp": at,
    }
    return Sent(body.encode(), headers)


@asked
def discord_judges(sender: Sender, body: str, headers: dict[str, str]) -> object:
    from discord_interactions import verify_key  # type: ignore[import-untyped]

    return verify_key(
        body.encode(),
        headers["x-signature-ed25519"],
        headers["x-signature-timestamp"],
        sender.secret,
    )


def twilio_signs(algorithm: str) -> Sign:
    @each
    def sign(sender: Sender, body: str) -> Sent:
        from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

        query = "bodySHA256=" + hashlib.sha256(body.encode()).hexdigest()
        signature = RequestValidator(sender.secret).compute_signature(
            f"{URL}?{query}", {}, algorithm
        )
        return Sent(body.encode(), {"X-Twilio-Signature": signature}, query)

    return sign


@each
def twilio_signs_forms(sender: Sender, body: str) -> Sent:
    """A message whose text is the payload, as an SMS comes in."""
    from twilio.request_validator import RequestValidator

    fields = {"From": "+15550100", "Body": body, "NumMedia": "0", "Emp ty": ""}
    signature = RequestValidator(sender.secret).compute_signature(URL, fields)
    headers = {
        "X-Twilio-Signature": signature,
        "Content-Type": "application/x-www-form-urlencoded",
    }
    return Sent(urlencode(fields).encode(), headers)


def twilio_judges(sender: Sender, sents: list[Sent]) -> list[bool]:
    from twilio.request_validator import RequestValidator

    validator = RequestValidator(sender.secret)
    return [
        validator.validate(
            f"{URL}?{sent.query}",
            sent.body.decode(),
            sent.headers["X-Twilio-Signature"],
        )
        for sent in sents
    ]


def node_signs(
    node: Node, task: str, headers: Callable[[str, int, str], dict[str, str]]
) -> Sign:
    def sign(sender: Sender, bodies: list[bytes]) -> list[Sent]:
        now = int(time.time())
        asked = [
            {
                "secret": sender.secret,
                "body": body.decode(),
                "now": now,
                "id": id_of(body),
            }
            for body in bodies
        ]
        marks = node.call(task, asked)
        return [
            Sent(body, headers(mark, now, id_of(body)))
            for body, mark in zip(bodies, marks, strict=True)
        ]

    return sign


def node_judges(node: Node, task: str) -> Judge:
    def judge(sender: Sender, sents: list[Sent]) -> list[bool]:
        asked = [
            {
                "secret": sender.secret,
                "body": each.body.decode(),
                "headers": {k.lower(): v for k, v in each.headers.items()},
                "refusing": True,
            }
            for each in sents
        ]
        return node.call(task, asked)

    return judge


def _standard_headers(mark: str, now: int, own: str) -> dict[str, str]:
    return {
        "webhook-id": own,
        "webhook-timestamp": str(now),
        "webhook-signature": mark,
    }


def in_python() -> Sequence[Peer]:
    return (
        Peer("stripe 16.1.0", named("stripe"), stripe_signs, stripe_judges),
        Peer("slack_sdk 3.47.0", named("slack"), slack_signs, slack_judges),
        Peer(
            "standardwebhooks 1.1.0", named("standard"), standard_signs, standard_judges
        ),
        Peer(
            "standardwebhooks 1.1.0", named("gitlab"), standard_signs, standard_judges
        ),
        Peer("svix 2.9.1", named("svix"), svix_signs, svix_judges),
        Peer("openai 3.54.0", named("openai"), None, openai_judges),
        Peer("squareup 46.0.0.20260916", named("square"), None, square_judges),
        Peer(
            "PyNaCl 1.6.2, discord-interactions 0.4.0",
            named("discord"),
            nacl_signs,
            discord_judges,
        ),
        Peer(
            "twilio 9.13.0, SHA-1",
            named("twilio"),
            twilio_signs("HMAC_SHA1"),
            twilio_judges,
        ),
        Peer("twilio 9.13.0, SHA-256", named("twilio"), twilio_signs("HMAC_SHA256")),
        Peer("twilio 9.13.0, forms", named("twilio"), twilio_signs_forms),
    )


def in_node(node: Node) -> Sequence[Peer]:
    octokit = "@octokit/webhooks-methods 6.0.0"
    return (
        Peer(
            octokit,
            named("github"),
            node_signs(
                node, "octokit-sign", lambda mark, *_: {"X-Hub-Signature-256": mark}
            ),
            node_judges(node, "octokit-verify"),
        ),
        Peer(
            "stripe 23.1.0 (npm)",
            named("stripe"),
            node_signs(
                node, "stripe-sign", lambda mark, *_: {"Stripe-Signature": mark}
            ),
        ),
        Peer(
            "standardwebhooks 1.1.1 (npm)",
            named("standard"),
            node_signs(node, "standard-sign", _standard_headers),
        ),
        Peer(
            "@linear/sdk 98.0.0",
            named("linear"),
            None,
            node_judges(node, "linear-verify"),
        ),
        Peer(
            "@shopify/shopify-api 13.1.0",
            named("shopify"),
            None,
            node_judges(node, "shopify-verify"),
        ),
    )


def flipped(sent: Sent, at: int) -> Sent:
    """One bit of the body, changed on the way, in a digit where there is one."""
    places = [i for i, byte in enumerate(sent.body) if chr(byte).isdigit()]
    place = places[at % len(places)] if places else 0
    changed = bytearray(sent.body or b" ")
    changed[place] ^= 1
    return replace(sent, body=bytes(changed))


def reserialised(sent: Sent) -> Sent:
    """The same JSON, written down once more."""
    return replace(sent, body=json.dumps(json.loads(sent.body), indent=1).encode())
