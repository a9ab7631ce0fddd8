"""Requests as the verifier sees them."""

from dataclasses import replace
from typing import Any

from app.security.signatures import choosing
from app.security.signatures.scheme import verify
from app.security.signatures.signed import Signed, Verdict
from tests.security.signatures.senders import NOW, URL, Sender, Sent


def signed(sent: Sent, **changes: Any) -> Signed:
    """What arrives of a request that was sent as JSON."""
    headers = {"content-type": b"application/json"}
    headers |= {name.lower(): text.encode() for name, text in sent.headers.items()}
    whole = Signed(body=sent.body, headers=headers, url=URL, query=sent.query)
    return replace(whole, **changes)


def verdict(
    sender: Sender, request: Signed, *, now: float = NOW, secrets: Any = None
) -> Verdict:
    scheme = choosing.choose(sender.verify)
    known = [sender.secret] if secrets is None else secrets
    return verify(scheme, request, [each.encode() for each in known], now)
