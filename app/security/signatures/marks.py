"""Marks: the signatures, or the tokens, that a request carries."""

import hashlib
import hmac
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from app.security.signatures.keys import TEXT, Key
from app.security.signatures.signed import Signed, Source

MOST = 10  # candidates that are looked at
_HEX = re.compile(rb"[0-9a-f]+")
_BASE64 = re.compile(rb"[A-Za-z0-9+/]+={0,2}")
Proof = Callable[[bytes], bool]  # whether a candidate is right


class Algorithm(StrEnum):
    """How a mark is made."""

    SHA1 = "sha1"
    SHA256 = "sha256"
    SHA512 = "sha512"
    ED25519 = "ed25519"
    PLAIN = "plain"  # the secret itself


class Encoding(StrEnum):
    """How a mark is written down."""

    HEX = "hex"
    BASE64 = "base64"
    RAW = "raw"


_SIZES = {  # bytes of a mark
    Algorithm.SHA1: 20,
    Algorithm.SHA256: 32,
    Algorithm.SHA512: 64,
    Algorithm.ED25519: 64,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One kind of mark, and the place where it stands."""

    where: Source
    algorithm: Algorithm = Algorithm.SHA256
    encoding: Encoding = Encoding.HEX
    key: Key = TEXT

    def candidates(self, signed: Signed) -> list[bytes]:
        """Return what could be such a mark, at most `MOST`."""
        entries = self.where.entries(signed)
        if self.encoding is Encoding.HEX:
            entries = [each.lower() for each in entries]
        return [each for each in entries if self._is_formed(each)][:MOST]

    def fits(
        self, candidates: Sequence[bytes], message: bytes, secrets: Sequence[bytes]
    ) -> bool:
        """Tell whether any candidate is right for any secret.

        Every candidate is compared with every secret, whatever the others were.
        """
        keys = [key for each in secrets if (key := self.key.read(each)) is not None]
        proofs = [self._proof(key, message) for key in keys]
        return any([proof(each) for proof in proofs for each in candidates])  # noqa: C419 - all of them, always

    def _is_formed(self, candidate: bytes) -> bool:
        if self.algorithm is Algorithm.PLAIN:
            return bool(candidate)
        size = _SIZES[self.algorithm]
        if self.encoding is Encoding.HEX:
            return len(candidate) == 2 * size and bool(_HEX.fullmatch(candidate))
        length = 4 * ((size + 2) // 3)
        return len(candidate) == length and bool(_BASE64.fullmatch(candidate))

    def _proof(self, key: bytes, message: bytes) -> Proof:
        if self.algorithm is Algorithm.ED25519:
            return self._public(key, message)
        if self.algorithm is Algorithm.PLAIN:
            return equals(self._written(key))
        return equals(self._written(hmac.digest(key, message, self.algorithm.value)))

    def _public(self, key: bytes, message: bytes) -> Proof:
        def proof(candidate: bytes) -> bool:
            try:
                public = Ed25519PublicKey.from_public_bytes(key)
                public.verify(self._read(candidate), message)
            except (InvalidSignature, ValueError):
                return False
            return True

        return proof

    def _written(self, mark: bytes) -> bytes:
        if self.encoding is Encoding.RAW:
            return mark
        return mark.hex().encode() if self.encoding is Encoding.HEX else b64encode(mark)

    def _read(self, text: bytes) -> bytes:
        if self.encoding is Encoding.HEX:
            return bytes.fromhex(text.decode())
        return b64decode(text)


def equals(expected: bytes) -> Proof:
    """Compare with this secret, without telling by the time how, or how long, it is."""
    right = hashlib.sha256(expected).digest()
    return lambda given: hmac.compare_digest(hashlib.sha256(given).digest(), right)
