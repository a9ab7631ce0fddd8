"""Signs what is sent, so that the receiver can tell who sent it.

Source: Standard Webhooks, "Signature scheme", symmetric (v1).
"""

import hmac
from base64 import b64encode
from collections.abc import Sequence

from app.security.signatures.keys import WHSEC

FORM = WHSEC.expected
HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")


def key_of(secret: str) -> bytes | None:
    """Return the key that a secret stands for; None if it has another form."""
    return WHSEC.read(secret.encode("utf-8", "replace"))


def signed(
    body: bytes, keys: Sequence[bytes], *, message_id: str, at: int
) -> dict[str, str]:
    """Return the headers that sign a body.

    Args:
        body: exactly as it is sent.
        keys: one, or several while a secret is replaced; any of them will do.
        message_id: the same for each attempt to send it, without a dot.
        at: of this attempt, seconds since 1970.
    """
    content = f"{message_id}.{at}.".encode() + body
    marks = [b64encode(hmac.digest(key, content, "sha256")).decode() for key in keys]
    signature = " ".join(f"v1,{mark}" for mark in marks)
    return dict(zip(HEADERS, (message_id, str(at), signature), strict=True))
