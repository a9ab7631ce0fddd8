"""API keys: ``sluice_<prefix>_<secret><checksum>``.

The prefix is public and says which key it is; of the secret (32 random bytes) only
the SHA-256 is kept, which is enough because nobody can guess 256 bits. The checksum
lets a scanner of leaked texts tell a key from noise without asking us.

Source: GitHub, "Behind GitHub's new authentication token formats", 2021.
"""

import hashlib
import hmac
import re
import secrets
import string
import zlib
from dataclasses import dataclass, field

ALPHABET = string.digits + string.ascii_letters
PREFIX_LENGTH = 12  # 71 bits: two keys never share one
SECRET_BYTES = 32
SECRET_LENGTH = 43  # 62**43 > 2**256
CHECKSUM_LENGTH = 6  # 62**6 > 2**32
PATTERN = re.compile(
    rf"(sluice_([0-9A-Za-z]{{{PREFIX_LENGTH}}})_([0-9A-Za-z]{{{SECRET_LENGTH}}}))"
    rf"([0-9A-Za-z]{{{CHECKSUM_LENGTH}}})"
)


@dataclass(frozen=True, slots=True)
class Presented:
    """What a caller showed: the public part and the hash of the secret part."""

    prefix: str
    secret_hash: bytes = field(repr=False)

    def proves(self, stored_hash: bytes) -> bool:
        """Compare with what is stored, in constant time."""
        return hmac.compare_digest(self.secret_hash, stored_hash)


@dataclass(frozen=True, slots=True)
class Minted:
    """A new key; `text` is shown once and kept nowhere."""

    text: str = field(repr=False)
    prefix: str
    secret_hash: bytes = field(repr=False)


def mint() -> Minted:
    """Make a new key."""
    prefix = "".join(secrets.choice(ALPHABET) for _ in range(PREFIX_LENGTH))
    number = int.from_bytes(secrets.token_bytes(SECRET_BYTES), "big")
    secret = _base62(number, SECRET_LENGTH)
    body = f"sluice_{prefix}_{secret}"
    return Minted(body + _checksum(body), prefix, _hash(secret))


def parse(text: str) -> Presented | None:
    """Take a caller's text apart; None if it cannot be a key of ours."""
    match = PATTERN.fullmatch(text)
    if match is None or _checksum(match[1]) != match[4]:
        return None
    return Presented(match[2], _hash(match[3]))


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), CHECKSUM_LENGTH)


def _base62(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, len(ALPHABET))
        digits.append(ALPHABET[digit])
    return "".join(reversed(digits))
