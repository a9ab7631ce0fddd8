"""The time that a signature covers, and how far away it may be."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from app.security.signatures.signed import Signed, Source

TOLERANCE = 300.0  # seconds
_DECIMAL = re.compile(rb"[0-9]{1,13}")
_ISO8601 = re.compile(
    rb"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?"
    rb"(Z|[+-][0-9]{2}:[0-9]{2})"
)


def _seconds(text: bytes) -> float | None:
    return float(text) if _DECIMAL.fullmatch(text) else None


def _milliseconds(text: bytes) -> float | None:
    return float(text) / 1000 if _DECIMAL.fullmatch(text) else None


def _iso8601(text: bytes) -> float | None:
    if _ISO8601.fullmatch(text) is None:
        return None
    try:
        return datetime.fromisoformat(text.decode()).timestamp()
    except (ValueError, OverflowError):  # a 13th month, the year 0
        return None


UNITS: Mapping[str, Callable[[bytes], float | None]] = {
    "s": _seconds,
    "ms": _milliseconds,
    "iso8601": _iso8601,
}


@dataclass(frozen=True, slots=True)
class Timestamp:
    """Where a request says when it was signed."""

    where: Source
    unit: str = "s"  # of `UNITS`
    tolerance: float = TOLERANCE  # seconds, in both directions

    def text(self, signed: Signed) -> bytes | None:
        """Return it as the sender wrote it; None if it is not there exactly once."""
        entries = self.where.entries(signed)
        return entries[0] if len(entries) == 1 else None

    def moment(self, text: bytes) -> float | None:
        """Return seconds since 1970; None if the text is no time."""
        return UNITS[self.unit](text)

    def is_stale(self, moment: float, now: float) -> bool:
        """Tell whether a time is too long ago, or too far ahead."""
        return abs(now - moment) > self.tolerance
