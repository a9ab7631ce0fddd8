"""Lets the store do its housework once an hour."""

import time
from collections.abc import Callable

from app.store.protocol import Store

HOUR = 3600.0  # seconds


class Upkeep:
    """Remembers when the store's housework is due."""

    def __init__(
        self, store: Store, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store, self._clock = store, clock
        self._due = clock() + HOUR  # a start has done it already

    def look(self) -> None:
        """Do it if it is due; what fails is tried again in an hour.

        Raises:
            StoreUnavailable: it could not be done now.
        """
        if self._clock() >= self._due:
            self._due = self._clock() + HOUR
            self._store.maintain()
