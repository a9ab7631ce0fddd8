"""One sender for each scheme, signing as its vendor documents it.

Written from the formulas alone: nothing of the product is used here.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

NOW = 1_767_225_600.25  # seconds since 1970
URL = "https://hooks.example.com/hooks/abc"
WHSEC = "whsec_" + base64.b64encode(bytes(range(32))).decode()
_PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
_PUBLIC = _PRIVATE.public_key().public_bytes(
    serialization.Encoding.Raw, serialization.PublicFormat.Raw
)
WHPK = "whpk_" + base64.b64encode(_PUBLIC).decode()

Headers = dict[str, str]
Signer = Callable[[str, bytes, float, str], "Sent"]


@dataclass(frozen=True)
class Sent:
    """A signed request."""

    body: bytes
    headers: Headers
    query: str = ""


@dataclass(frozen=True)
class Sender:
    """What a workflow says under `verify`, and how to send what fits it."""

    scheme: str
    secret: str
    signer: Signer
    wrong: str  # another secret of the same form
    options: Mapping[str, Any] = field(default_factory=dict)
    tolerance: float | None = 300.0  # seconds; none: the scheme signs no time
    covers_body: bool = True
    kind: str = ""  # of signature, where the scheme has several

    def __str__(self) -> str:
        return f"{self.scheme} {self.kind}".strip()

    @property
    def verify(self) -> dict[str, Any]:
        return {"scheme": self.scheme, "secret": self.secret, **self.options}

    def send(
        self, body: bytes, *, now: float = NOW, url: str = URL, secret: str = ""
    ) -> Sent:
        return self.signer(secret or self.secret, body, now, url)


def mac(key: bytes, message: bytes, algorithm: str = "sha256") -> bytes:
    return hmac.new(key, message, algorithm).digest()


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def hexadecimal(header: str, prefix: str = "") -> Signer:
    def sign(secret: str, body: bytes, _: float, __: str) -> Sent:
        return Sent(body, {header: prefix + mac(secret.encode(), body).hex()})

    return sign


def base64ed(header: str, prefix: str = "") -> Signer:
    def sign(secret: str, body: bytes, _: float, __: str) -> Sent:
        return Sent(body, {header: prefix + text(mac(secret.encode(), body))})

    return sign


def stripe(secret: str, body: bytes, now: float, _: str) -> Sent:
    at = str(int(now))
    signature = mac(secret.encode(), at.encode() + b"." + body).hex()
    return Sent(body, {"Stripe-Signature": f"t={at},v1={signature},v0={'0' * 64}"})


def v0(timestamp: str, header: str) -> Signer:
    def sign(secret: str, body: bytes, now: float, _: str) -> Sent:
        at = str(int(now))
        signature = mac(secret.encode(), f"v0:{at}:".encode() + body).hex()
        return Sent(body, {timestamp: at, header: f"v0={signature}"})

    return sign


def standard(family: str = "webhook", delivery: str = "msg_1") -> Signer:
    def sign(secret: str, body: bytes, now: float, _: str) -> Sent:
        at = str(int(now))
        message = f"{delivery}.{at}.".encode() + body
        key = base64.b64decode(secret.removeprefix("whsec_"))
        headers = {
            f"{family}-id": delivery,
            f"{family}-timestamp": at,
            f"{family}-signature": "v1," + text(mac(key, message)),
        }
        return Sent(body, headers)

    return sign


def asymmetric(_: str, body: bytes, now: float, __: str) -> Sent:
    at = str(int(now))
    signature = text(_PRIVATE.sign(f"msg_1.{at}.".encode() + body))
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": at,
        "webhook-signature": f"v1a,{signature}",
    }
    return Sent(body, headers)


def linear(secret: str, body: bytes, now: float, _: str) -> Sent:
    value = {"webhookTimestamp": int(now * 1000), "data": json.loads(body)}
    signed = json.dumps(value).encode()
    signature = mac(secret.encode(), signed).hex()
    return Sent(signed, {"Linear-Signature": signature, "Linear-Delivery": "d-1"})


def zendesk(secret: str, body: bytes, now: float, _: str) -> Sent:
    at = datetime.fromtimestamp(int(now), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    name = "X-Zendesk-Webhook-Signature"
    signature = text(mac(secret.encode(), at.encode() + body))
    return Sent(body, {name: signature, f"{name}-Timestamp": at})


def square(secret: str, body: bytes, _: float, url: str) -> Sent:
    signature = text(mac(secret.encode(), url.encode() + body))
    return Sent(body, {"x-square-hmacsha256-signature": signature})


def discord(_: str, body: bytes, now: float, __: str) -> Sent:
    at = str(int(now))
    signature = _PRIVATE.sign(at.encode() + body).hex()
    headers = {"X-Signature-Ed25519": signature, "X-Signature-Timestamp": at}
    return Sent(body, headers)


def twilio(secret: str, body: bytes, _: float, url: str) -> Sent:
    query = "bodySHA256=" + hashlib.sha256(body).hexdigest()
    signature = text(mac(secret.encode(), f"{url}?{query}".encode(), "sha1"))
    return Sent(body, {"X-Twilio-Signature": signature}, query)


def mailgun(secret: str, body: bytes, now: float, _: str) -> Sent:
    at, token = str(int(now)), hashlib.sha256(body).hexdigest()[:50]
    signature = mac(secret.encode(), f"{at}{token}".encode()).hex()
    signed = {"timestamp": at, "token": token, "signature": signature}
    value = {"signature": signed, "event-data": json.loads(body)}
    return Sent(json.dumps(value).encode(), {})


def graph(secret: str, body: bytes, _: float, __: str) -> Sent:
    item = {"id": "n-1", "clientState": secret, "resourceData": json.loads(body)}
    return Sent(json.dumps({"value": [item, item]}).encode(), {})


def token(header: str, prefix: str = "") -> Signer:
    def sign(secret: str, body: bytes, _: float, __: str) -> Sent:
        return Sent(body, {header: prefix + secret})

    return sign


def basic(secret: str, body: bytes, _: float, __: str) -> Sent:
    return Sent(body, {"Authorization": "Basic " + text(secret.encode())})


def custom(secret: str, body: bytes, now: float, url: str) -> Sent:
    at = str(int(now * 1000))
    message = f"{at}|n-1|{url}|".encode() + body
    signature = text(mac(secret.encode(), message, "sha512"))
    return Sent(body, {"X-Sig": "mac " + signature, "X-At": at, "X-No": "n-1"})


CUSTOM = {
    "header": "X-Sig",
    "prefix": "mac ",
    "hash": "sha512",
    "encoding": "base64",
    "template": "{ts}|{id}|{url}|{body}",
    "timestamp": {"header": "X-At", "unit": "ms"},
    "id": {"header": "X-No"},
}
SHARED = "a-shared-secret"
OTHER = "another-secret"
OTHER_WHSEC = "whsec_" + base64.b64encode(bytes(32)).decode()
OTHER_PUBLIC = (
    Ed25519PrivateKey.from_private_bytes(bytes(32))
    .public_key()
    .public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
)


def _sender(scheme: str, signer: Signer, **more: Any) -> Sender:
    return Sender(scheme, SHARED, signer, OTHER, tolerance=None, **more)


def _timed(scheme: str, signer: Signer, **more: Any) -> Sender:
    return Sender(scheme, SHARED, signer, OTHER, **more)


def _standard(scheme: str, family: str = "webhook") -> Sender:
    return Sender(scheme, WHSEC, standard(family), OTHER_WHSEC)


BODY_ONLY = (
    _sender("github", hexadecimal("X-Hub-Signature-256", "sha256=")),
    _sender("bitbucket", hexadecimal("X-Hub-Signature", "sha256=")),
    _sender("meta", hexadecimal("X-Hub-Signature-256", "sha256=")),
    _sender("sentry", hexadecimal("Sentry-Hook-Signature")),
    _sender("pagerduty", hexadecimal("X-PagerDuty-Signature", "v1=")),
    _sender("shopify", base64ed("X-Shopify-Hmac-Sha256")),
    _sender("typeform", base64ed("Typeform-Signature", "sha256=")),
    _sender("square", square),
    _sender("twilio", twilio),
)
TIMED = (
    _timed("stripe", stripe),
    _timed("slack", v0("X-Slack-Request-Timestamp", "X-Slack-Signature")),
    _timed("zoom", v0("x-zm-request-timestamp", "x-zm-signature")),
    _timed("zendesk", zendesk),
    Sender("linear", SHARED, linear, OTHER, tolerance=60.0),
    _standard("standard"),
    _standard("svix", "svix"),
    _standard("openai"),
    _standard("gitlab"),
    Sender(
        "standard",
        WHPK,
        asymmetric,
        "whpk_" + base64.b64encode(OTHER_PUBLIC).decode(),
        kind="v1a",
    ),
    Sender("discord", _PUBLIC.hex(), discord, OTHER_PUBLIC.hex()),
    _timed("hmac", custom, options=CUSTOM),
)
UNCOVERED = (  # schemes that do not sign the body
    _timed("mailgun", mailgun, covers_body=False),
    _sender("graph", graph, covers_body=False),
    _sender("gitlab-token", token("X-Gitlab-Token"), covers_body=False),
    _sender("telegram", token("X-Telegram-Bot-Api-Secret-Token"), covers_body=False),
    _sender("bearer", token("Authorization", "Bearer "), covers_body=False),
    _sender("token", token("X-Key"), covers_body=False, options={"header": "X-Key"}),
    Sender(
        "basic",
        "miller:flour",
        basic,
        "miller:bran",
        tolerance=None,
        covers_body=False,
    ),
)
SENDERS = (*BODY_ONLY, *TIMED, *UNCOVERED)
