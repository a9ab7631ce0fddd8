"""The key by which a delivery that comes again is known."""

import hashlib
from datetime import timedelta
from typing import Any

from app.domain import jsons

LIFE = timedelta(days=7)  # how long a key is remembered
SIZE = 16  # bytes of a key
LONGEST = 1 << 20  # bytes of a value, as JSON


def key_of_id(delivery_id: str) -> bytes:
    """Make a key of the id that a sender gives each delivery."""
    return _digest(delivery_id.encode(errors="surrogatepass"))


def key_of_value(value: Any) -> bytes:
    """Make a key of any value; the order of an object's members does not count.

    Raises:
        ValueError: JSON has no such value, or it is too large.
    """
    jsons.measure(value, limit=LONGEST)
    return _digest(jsons.encode(_ordered(value), limit=LONGEST))


def _ordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _ordered(value[name]) for name in sorted(value)}
    if isinstance(value, list):
        return [_ordered(each) for each in value]
    return value


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()[:SIZE]
