"""Sealing secrets, so that a stolen database tells nobody anything.

AES-256-GCM. What is sealed is bound to its place (tenant, credential, field): moved to
another row, it does not open.
"""

import hashlib
import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.domain.errors import Unsealable

VERSION = b"\x01"
KEY_BYTES = 32
ID_BYTES = 8
NONCE_BYTES = 12  # 96 random bits: 2**32 values a key until two might share one
HEAD = len(VERSION) + ID_BYTES + NONCE_BYTES
LOST_KEY = (
    "A stored secret was sealed under a key that SLUICE_ENCRYPTION_KEYS does not hold;"
    " add that key at the end of the list again, or store the secret anew."
)
BROKEN = (
    "A stored secret does not open: it was changed, or moved from where it belongs;"
    " store it anew."
)


class Vault:
    """Seals under the first key and opens under any.

    Args:
        keys: 32 bytes each, at least one.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys or any(len(key) != KEY_BYTES for key in keys):
            raise ValueError(f"a vault needs keys of {KEY_BYTES} bytes each")
        self._first = _id(keys[0])
        self._ciphers = {_id(key): AESGCM(key) for key in keys}

    @property
    def ring(self) -> Sequence[str]:
        """The public names of its keys, the first one first."""
        return [each.hex() for each in self._ciphers]

    def is_current(self, sealed: bytes) -> bool:
        """Tell whether something is sealed under the first key."""
        return sealed.startswith(VERSION + self._first)

    def seal(
        self, value: bytes, *, tenant_id: str, credential_id: str, field: str
    ) -> bytes:
        """Encrypt a secret for one place."""
        head = VERSION + self._first
        nonce = os.urandom(NONCE_BYTES)
        place = _place(head, tenant_id, credential_id, field)
        return head + nonce + self._ciphers[self._first].encrypt(nonce, value, place)

    def open(
        self, sealed: bytes, *, tenant_id: str, credential_id: str, field: str
    ) -> bytes:
        """Undo `seal` for the same place.

        Raises:
            Unsealable: its key is not here, or it was not sealed for this place.
        """
        head, nonce = sealed[: HEAD - NONCE_BYTES], sealed[HEAD - NONCE_BYTES : HEAD]
        if len(sealed) < HEAD or not head.startswith(VERSION):
            raise Unsealable(BROKEN)
        cipher = self._ciphers.get(head[len(VERSION) :])
        if cipher is None:
            raise Unsealable(LOST_KEY)
        place = _place(head, tenant_id, credential_id, field)
        try:
            return cipher.decrypt(nonce, sealed[HEAD:], place)
        except InvalidTag:
            raise Unsealable(BROKEN) from None


def _id(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()[:ID_BYTES]


def _place(head: bytes, *parts: str) -> bytes:
    """Write the place so that no two places are written alike."""
    written = [part.encode() for part in parts]
    return head + b"".join(len(each).to_bytes(4, "big") + each for each in written)
