"""How often somebody may try something, and how long to wait before trying again."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

NOW = timedelta()


@dataclass(frozen=True, slots=True)
class Tally:
    """What is remembered of the tries at one thing; nothing from `expires_at` on."""

    count: int
    ready_at: datetime  # what the limit makes of it
    expires_at: datetime


class Limit(Protocol):
    """A rule about tries; it remembers nothing itself."""

    def wait(self, tally: Tally | None, at: datetime) -> timedelta:
        """Return how long it takes until one may try; zero or less: now."""
        ...

    def after(self, tally: Tally | None, at: datetime) -> Tally:
        """Return what to remember when one tries now."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate(Limit):
    """So many at once, and from then on one each interval.

    Source: the generic cell rate algorithm, ITU-T I.371, as a virtual schedule.
    """

    burst: int
    every: timedelta

    def wait(self, tally: Tally | None, at: datetime) -> timedelta:
        return self._next(tally, at) - at - self.burst * self.every

    def after(self, tally: Tally | None, at: datetime) -> Tally:
        due = self._next(tally, at)
        return Tally(0, due, due)

    def _next(self, tally: Tally | None, at: datetime) -> datetime:
        """When everything that was let in is paid for, one more included."""
        return max(at, tally.ready_at if tally else at) + self.every


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay(Limit):
    """Some tries are free; after each further one the wait doubles, up to an end.

    It never shuts anybody out for good, and success makes an end of it: the tally is
    deleted.
    """

    free: int
    first: timedelta  # the wait after the last free try
    most: timedelta
    memory: timedelta  # after which all is forgiven

    def wait(self, tally: Tally | None, at: datetime) -> timedelta:
        known = self._known(tally, at)
        return known.ready_at - at if known else NOW

    def after(self, tally: Tally | None, at: datetime) -> Tally:
        known = self._known(tally, at)
        count = known.count + 1 if known else 1
        return Tally(count, at + self._delay(count), at + self.memory)

    def _known(self, tally: Tally | None, at: datetime) -> Tally | None:
        return tally if tally and tally.expires_at > at else None

    def _delay(self, count: int) -> timedelta:
        doublings = count - self.free
        if doublings < 0:
            return NOW
        return min(self.most, self.first * (1 << min(doublings, 30)))
