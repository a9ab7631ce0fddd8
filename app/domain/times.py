"""Instants: aware UTC in Python, milliseconds in the store, RFC 3339 outside."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOUR_MS = 3_600_000
MILLISECOND = timedelta(milliseconds=1)


def now() -> datetime:
    """Return this instant, cut to the millisecond so that it survives the store."""
    at = datetime.now(UTC)
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def to_ms(at: datetime) -> int:
    """Milliseconds since 1970."""
    return (at - EPOCH) // MILLISECOND


def from_ms(millis: int) -> datetime:
    """Undo `to_ms`."""
    return EPOCH + timedelta(milliseconds=millis)


def rfc3339(at: datetime) -> str:
    """Write as ``2026-01-08T12:34:56.789Z``."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def hour_of(at: datetime) -> int:
    """Whole hours since 1970: the ledger's bucket."""
    return to_ms(at) // HOUR_MS
