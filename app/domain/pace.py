"""How many webhooks may come in a second, and what that leaves for the next one."""

import math
from dataclasses import dataclass
from hashlib import sha256

from app.domain.errors import RateLimited

NEARLY = 1e-9  # seconds: sums of floats
MICRO = 1_000_000  # in a second


@dataclass(frozen=True, slots=True)
class Pace:
    """The rule of a token bucket of which a second's worth may be used at once.

    A bucket is kept as the instant at which it will be full again, so one that is
    full needs no memory. Source: the generic cell rate algorithm, ITU-T I.371.

    Args:
        code: names the limit in refusals.
        rate: webhooks a second; above 0.
    """

    code: str
    rate: float

    def after(self, full_at: float, at: float, nearly: float = NEARLY) -> float:
        """Return when the bucket will be full if one more is taken out at an instant.

        Args:
            full_at: when it would be full otherwise.
            at: when the one more came.
            nearly: how many seconds too early it may come.

        Raises:
            RateLimited: there is none in it.
        """
        used = max(0.0, full_at - at) + 1 / self.rate
        wait = used - max(1.0, 1 / self.rate)
        if wait > nearly:
            raise self._refusal(wait)
        return at + used

    def _refusal(self, wait: float) -> RateLimited:
        return RateLimited(
            f"The limit {self.code} is reached: {self.rate:g} webhooks a second."
            " Send this one again after Retry-After seconds.",
            retry_after=math.ceil(wait - NEARLY),
            code=self.code,
        )


@dataclass(frozen=True, slots=True)
class Charge:
    """One webhook, to be taken out of a bucket that several processes share."""

    pace: Pace
    name: str  # of the bucket: an id
    at: float  # when it came, seconds on this process's monotonic clock

    @property
    def key(self) -> bytes:
        """What the bucket is kept under."""
        return sha256(f"{self.pace.code}:{self.name}".encode()).digest()
