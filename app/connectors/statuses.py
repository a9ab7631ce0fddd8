"""What an answer's status means for the step that asked."""

import math
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from app.connectors.http import Reply
from app.domain import times
from app.domain.errors import StepFailed

LONGEST_WAIT = 3600.0  # seconds that a server may ask us to wait
TRY_AGAIN = frozenset({408, 425, 429})
LOWEST_ERROR = 400
LOWEST_SERVER_ERROR = 500


def below_400(status: int) -> bool:
    """Tell whether a server's answer is no error."""
    return status < LOWEST_ERROR


def require(
    reply: Reply, accepted: Callable[[int], bool] = below_400, *, output: Any = None
) -> None:
    """Let an accepted status pass.

    Args:
        reply: what the server answered.
        accepted: tells which statuses are fine.
        output: what the step leaves if this one is not.

    Raises:
        StepFailed: `http-status`, worth another try for 408, 425, 429 and 5xx.
    """
    if accepted(reply.status):
        return
    later = reply.status in TRY_AGAIN or reply.status >= LOWEST_SERVER_ERROR
    raise StepFailed(
        "http-status",
        f"{reply.origin} answered with status {reply.status}",
        retryable=later,
        retry_after=retry_after(reply.headers.get("retry-after"), at=times.now()),
        output=output,
    )


def retry_after(value: str | None, *, at: datetime) -> float | None:
    """Read a ``Retry-After`` header.

    Args:
        value: seconds or an HTTP date, as the server wrote it.
        at: the instant at which it was received.

    Returns:
        Seconds to wait, between 0 and 3600; None when it says nothing readable.

    Source: RFC 9110, section 10.2.3; fractions are not in it, but are sent.
    """
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        seconds = _seconds_until(value, at)
    return None if math.isnan(seconds) else min(max(seconds, 0.0), LONGEST_WAIT)


def _seconds_until(date: str, at: datetime) -> float:
    try:
        then = parsedate_to_datetime(date)
    except (ValueError, OverflowError):
        return math.nan
    if then.tzinfo is None:
        then = then.replace(tzinfo=UTC)
    return (then - at).total_seconds()
