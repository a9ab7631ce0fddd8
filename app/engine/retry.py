"""How long to wait before trying again."""

import random

CEILING_ASKED = 3600.0  # seconds; no server may ask for a longer wait


def backoff(attempt: int, *, base: float = 0.5, ceiling: float = 30.0) -> float:
    """Choose how long to wait before trying again ("full jitter").

    Args:
        attempt: failed attempts so far, 1 or more.
        base: upper bound of the first wait, seconds; it doubles each attempt.
        ceiling: no wait is longer than this, seconds.

    Returns:
        Seconds to wait, uniform in ``[0, min(ceiling, base * 2 ** (attempt - 1))]``.

    Raises:
        ValueError: `attempt` is below 1.

    Source: M. Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog, 2015.
    """
    if attempt < 1:
        raise ValueError(f"attempt must be 1 or more, not {attempt}")
    return random.uniform(0.0, min(ceiling, base * 2 ** (attempt - 1)))  # noqa: S311


def wait_before(
    attempt: int, *, base: float, ceiling: float, asked: float | None
) -> float:
    """Choose a wait that is no shorter than what the other side asked for.

    Args:
        attempt: failed attempts so far, 1 or more.
        base: as for `backoff`, seconds.
        ceiling: as for `backoff`, seconds.
        asked: the answer's ``Retry-After``, seconds; at most an hour is honoured.
    """
    own = backoff(attempt, base=base, ceiling=ceiling)
    return max(own, min(asked or 0.0, CEILING_ASKED))
