"""From the secret that a person copies to the key that a signature is made with."""

import re
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass

SHORTEST, LONGEST = 24, 64  # bytes of a key of Standard Webhooks
PUBLIC = 32  # bytes of an Ed25519 public key
_HEX = re.compile(rb"[0-9a-fA-F]{64}")
_BASE64 = re.compile(rb"[A-Za-z0-9+/]*={0,2}")


@dataclass(frozen=True, slots=True)
class Key:
    """One form of a secret."""

    expected: str  # completes "must be …"
    read: Callable[[bytes], bytes | None]  # None: the secret has another form


def _text(secret: bytes) -> bytes | None:
    return secret or None


def _whsec(secret: bytes) -> bytes | None:
    key = _decoded(secret.removeprefix(b"whsec_"))
    return key if SHORTEST <= len(key) <= LONGEST else None


def _whpk(secret: bytes) -> bytes | None:
    if not secret.startswith(b"whpk_"):
        return None
    key = _decoded(secret.removeprefix(b"whpk_"))
    return key if len(key) == PUBLIC else None


def _hexadecimal(secret: bytes) -> bytes | None:
    if _HEX.fullmatch(secret) is None:
        return None
    return bytes.fromhex(secret.decode())


def _pair(secret: bytes) -> bytes | None:
    return secret if b":" in secret else None


def _decoded(text: bytes) -> bytes:
    if _BASE64.fullmatch(text) is None or len(text) % 4:
        return b""
    return b64decode(text)


TEXT = Key("a text that is not empty", _text)
WHSEC = Key(f"`whsec_` and the base64 of {SHORTEST} to {LONGEST} bytes", _whsec)
WHPK = Key(f"`whpk_` and the base64 of {PUBLIC} bytes", _whpk)
HEX = Key("the 64 hexadecimal digits of a public key", _hexadecimal)
PAIR = Key("`user:password`", _pair)
