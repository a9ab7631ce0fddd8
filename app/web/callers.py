"""Whose a request is, told without the store and before Flask. Knows neither."""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from typing import Any

from app.security import tokens
from app.web.limits import client_of

FREE = ("/hooks/", "/health", "/metrics")  # have limits of their own, or must be seen
PROOFS = ("AUTHORIZATION", "COOKIE")  # whoever sends the first is not asked the second
SIZE = 16_384  # proofs remembered
MEMORY = 60.0  # seconds that a proof is believed, after it was checked


class Callers:
    """Remembers whose the keys and cookies are that were checked of late.

    Args:
        clock: seconds, monotonic.
        size: proofs remembered.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, *, size: int = SIZE
    ) -> None:
        self._clock, self._size = clock, size
        self._lock = Lock()
        self._known: OrderedDict[bytes, tuple[str, float]] = OrderedDict()

    def name(
        self, path: str, fields: Sequence[tuple[str, str]], client: Any, *, hops: int
    ) -> str | None:
        """Name the tenant that a request's proof belongs to, or else its client.

        Args:
            path: as it was sent.
            fields: of the header, their names in capitals.
            client: the address of the socket's other end.
            hops: proxies in front that are believed.

        Returns:
            None if such requests need not take turns.
        """
        if path.startswith(FREE):
            return None
        given = dict(fields)
        proof = next((given[each] for each in PROOFS if each in given), None)
        tenant_id = proof and self._tenant_of(proof)
        return tenant_id or client_of(_address(given, client, hops))

    def learn(self, environ: Mapping[str, Any], tenant_id: str) -> None:
        """Remember whose the proof is that came with a request and has been checked."""
        proof = next(
            environ[f"HTTP_{each}"] for each in PROOFS if f"HTTP_{each}" in environ
        )
        with self._lock:
            digest = tokens.digest(proof)
            self._known[digest] = tenant_id, self._clock() + MEMORY
            self._known.move_to_end(digest)
            if len(self._known) > self._size:
                self._known.popitem(last=False)

    def _tenant_of(self, proof: str) -> str | None:
        with self._lock:
            tenant_id, until = self._known.get(tokens.digest(proof), (None, 0.0))
        return tenant_id if self._clock() < until else None


def _address(given: Mapping[str, str], client: Any, hops: int) -> str | None:
    """Return the client's address, as far as proxies in front are believed."""
    said = given.get("X-FORWARDED-FOR", "").split(",")
    if hops and len(said) >= hops:
        return said[-hops].strip()
    return str(client[0]) if isinstance(client, tuple) else None
