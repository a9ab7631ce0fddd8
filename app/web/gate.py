"""The gate before signing in: a flood costs little here. Knows no Flask."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from app.domain import times
from app.domain.limit import NOW, Rate, Tally
from app.web.limits import client_of
from app.web.problems import Problem

ANYBODY = Rate(burst=50, every=timedelta(seconds=1) / 20)  # more than can be hashed
CLIENT = Rate(burst=25, every=timedelta(seconds=1) / 10)  # one leaves others some
SIZE = 16_384  # clients remembered
ALL = ""  # the name of all clients together
CROWDED = "Too many people sign in or up at once; try again."
HASTY = "Too many tries; the next one may come in 1 s."
SOON = {"Retry-After": "1"}


class Gate:
    """Lets few requests in at a time, and few a second: all others end before it.

    The limits in the store are stricter for who tries passwords, and hold for all
    processes. These hold for one, whatever a request is made of, and cost neither a
    thread nor the store.

    Args:
        places: requests that may be inside at once.
        rates: of `ALL` together, and of each client.
        clock: tells the time.
        size: clients remembered; who is forgotten may use a whole burst again.
    """

    def __init__(
        self,
        *,
        places: int,
        rates: tuple[Rate, Rate] = (ANYBODY, CLIENT),
        clock: Callable[[], datetime] = times.now,
        size: int = SIZE,
    ) -> None:
        self._places, self._clock, self._size = places, clock, size
        self._anybody, self._each = rates
        self._lock, self._inside = threading.Lock(), 0
        self._tallies: OrderedDict[str, Tally] = OrderedDict()

    def look(self, address: str) -> Problem | None:
        """Tell why a client's request cannot come in now, if so; take nothing."""
        with self._lock:
            return self._refusal(self._limits(address), self._clock())

    def enter(self, address: str) -> Problem | None:
        """Take a place for a client's request, or tell why there is none."""
        with self._lock:
            at, limits = self._clock(), self._limits(address)
            if refusal := self._refusal(limits, at):
                return refusal
            self._inside += 1
            for name, rate in limits.items():
                self._tallies[name] = rate.after(self._tallies.get(name), at)
                self._tallies.move_to_end(name)
            while len(self._tallies) > self._size:
                self._tallies.popitem(last=False)
            return None

    def leave(self) -> None:
        """Give a place back."""
        with self._lock:
            self._inside -= 1

    def _limits(self, address: str) -> Mapping[str, Rate]:
        return {client_of(address): self._each, ALL: self._anybody}

    def _refusal(self, limits: Mapping[str, Rate], at: datetime) -> Problem | None:
        full = {
            name
            for name, rate in limits.items()
            if rate.wait(self._tallies.get(name), at) > NOW
        }
        if full - {ALL}:
            return Problem(
                status=429, code="too-many-tries", detail=HASTY, headers=SOON
            )
        if full or self._inside >= self._places:
            return Problem(
                status=503, code="too-many-sign-ins", detail=CROWDED, headers=SOON
            )
        return None
