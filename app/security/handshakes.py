"""Questions by which a sender finds out whether a URL is ours.

None is an oracle: what is signed for a stranger is too short and too plain to be any
message of the scheme, and what is repeated is sent as a text that no browser runs.
"""

import hmac
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qs

from app.security.signatures.marks import equals
from app.security.signatures.signed import Signed

LARGEST = 16 << 10  # bytes of a body that asks a question
LONGEST = 2048  # characters of a text that is repeated
JSON = "application/json"
TEXT = "text/plain; charset=utf-8"
_PLAIN = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Reply:
    """What the sender wants to hear."""

    body: bytes = b""
    kind: str = TEXT
    status: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Handshake:
    """One kind of question."""

    is_signed: bool  # to be verified before it is answered
    asked: Callable[[Signed], bool]
    answer: Callable[[Signed, Sequence[bytes]], Reply | None]  # None: not to this one


def _slack_asks(signed: Signed) -> bool:
    return _said(signed).get("type") == "url_verification"


def _slack(signed: Signed, _: Sequence[bytes]) -> Reply | None:
    challenge = _said(signed).get("challenge")
    if not _is_repeatable(challenge):
        return None
    return _json({"challenge": challenge})


def _zoom_asks(signed: Signed) -> bool:
    return _said(signed).get("event") == "endpoint.url_validation"


def _zoom(signed: Signed, secrets: Sequence[bytes]) -> Reply | None:
    """Sign a token that holds no colon, as every signed message of Zoom's does."""
    payload = _said(signed).get("payload")
    plain = payload.get("plainToken") if isinstance(payload, dict) else None
    if not isinstance(plain, str) or _PLAIN.fullmatch(plain) is None:
        return None
    signature = hmac.digest(secrets[0], plain.encode(), "sha256").hex()
    return _json({"plainToken": plain, "encryptedToken": signature})


def _discord_asks(signed: Signed) -> bool:
    """Tell pings of interactions (1) and of webhook events (0) from real events."""
    said = _said(signed)
    kind = said.get("type")
    if isinstance(kind, bool) or "event" in said:
        return False
    return kind == 1 or (kind == 0 and "application_id" in said)


def _discord(signed: Signed, _: Sequence[bytes]) -> Reply | None:
    if _said(signed).get("type") == 1:
        return _json({"type": 1})
    return Reply(status=204)


def _meta_asks(signed: Signed) -> bool:
    return signed.method == "GET" and _asked(signed, "hub.mode") == "subscribe"


def _meta(signed: Signed, tokens: Sequence[bytes]) -> Reply | None:
    given = _asked(signed, "hub.verify_token") or ""
    challenge = _asked(signed, "hub.challenge")
    proofs = [equals(each) for each in tokens]
    known = any([proof(given.encode("utf-8", "replace")) for proof in proofs])  # noqa: C419 - all of them, always
    return _repeated(challenge) if known else None


def _graph_asks(signed: Signed) -> bool:
    return signed.method == "POST" and _asked(signed, "validationToken") is not None


def _graph(signed: Signed, _: Sequence[bytes]) -> Reply | None:
    return _repeated(_asked(signed, "validationToken"))


def _said(signed: Signed) -> Mapping[str, Any]:
    value = signed.value if len(signed.body) <= LARGEST else None
    return value if isinstance(value, dict) else {}


def _asked(signed: Signed, name: str) -> str | None:
    try:
        found = parse_qs(signed.query, keep_blank_values=True).get(name, [])
    except ValueError:
        return None
    return found[0] if len(found) == 1 else None


def _is_repeatable(text: object) -> bool:
    is_text = isinstance(text, str) and 0 < len(text) <= LONGEST
    return is_text and str(text).isprintable()


def _repeated(text: str | None) -> Reply | None:
    return Reply(str(text).encode()) if _is_repeatable(text) else None


def _json(value: Mapping[str, Any]) -> Reply:
    return Reply(json.dumps(value).encode(), JSON)


HANDSHAKES: Mapping[str, Handshake] = MappingProxyType(
    {
        "slack": Handshake(is_signed=True, asked=_slack_asks, answer=_slack),
        "zoom": Handshake(is_signed=True, asked=_zoom_asks, answer=_zoom),
        "discord": Handshake(is_signed=True, asked=_discord_asks, answer=_discord),
        "meta": Handshake(is_signed=False, asked=_meta_asks, answer=_meta),
        "graph": Handshake(is_signed=False, asked=_graph_asks, answer=_graph),
    }
)
