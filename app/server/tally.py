"""Counts what the event loop itself refused, and logs it without being flooded."""

import logging
import time
from collections import Counter
from collections.abc import Callable

from app.server.refused import Refused

log = logging.getLogger(__name__)
LINES = 20  # refusals a second that get a log line of their own


class Tally:
    """What happened on the way in since the process began; any thread may read it.

    `refused` counts by status, `evicted` the idle connections closed for new ones.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.refused: Counter[int] = Counter()
        self.evicted = 0
        self._clock = clock
        self._second, self._logged, self._silent = clock(), 0, 0

    def refuse(self, reason: Refused, request_id: str) -> None:
        """Count a refusal, and log it unless many others were logged just now."""
        self.refused[reason.status] += 1
        if self._logged >= LINES:
            self._silent += 1
            return
        self._logged += 1
        facts = {"status": reason.status, "request_id": request_id, "code": reason.code}
        log.info("Request refused by the event loop", extra=facts)

    def tick(self) -> None:
        """Begin another second, and say how many refusals the last one left out."""
        now = self._clock()
        if now - self._second < 1:
            return
        if self._silent:
            log.info("More requests refused", extra={"count": self._silent})
        self._second, self._logged, self._silent = now, 0, 0
