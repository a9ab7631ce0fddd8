"""Writes that must happen but could not: tried again until they do."""

import logging
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future

from app.domain.errors import StoreUnavailable

log = logging.getLogger(__name__)
Write = Callable[[], "Future[bool]"]


class Settlement:
    """Keeps an execution from being stuck when the store fails for a while.

    If the process ends first, recovery finds the execution where its journal is.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owed: deque[tuple[Write, Callable[[bool], None]]] = deque()

    def settle(self, write: Write, then: Callable[[bool], None]) -> None:
        """Write without waiting; `then` hears whether the fence still held."""
        try:
            future = write()
        except StoreUnavailable:
            self._keep(write, then)
            return
        future.add_done_callback(lambda done: self._over(done, write, then))

    def retry(self) -> None:
        """Try again what failed."""
        with self._lock:
            owed, self._owed = self._owed, deque()
        for write, then in owed:
            self.settle(write, then)

    def _over(
        self, done: "Future[bool]", write: Write, then: Callable[[bool], None]
    ) -> None:
        if isinstance(done.exception(), StoreUnavailable):
            self._keep(write, then)
        else:
            then(done.result())

    def _keep(self, write: Write, then: Callable[[bool], None]) -> None:
        log.error("Outcome not stored yet; trying again")
        with self._lock:
            self._owed.append((write, then))
