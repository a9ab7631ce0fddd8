"""Callers that wait for the end of an execution."""

import os
import select
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from app.domain.errors import CallerGone

GONE = select.POLLRDHUP | select.POLLHUP | select.POLLERR


class Watch:
    """One caller's wait: ended by the execution, by the clock, or by his leaving.

    Args:
        client: the caller's socket, if he has one. It is asked whether the other
            side is still there and never read, so a request that was sent ahead
            hides nothing. A half-closed connection counts as gone.
    """

    def __init__(self, client: int | None = None) -> None:
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._client = client
        self._poll = select.poll()
        self._poll.register(self._wake, select.POLLIN)
        if client is not None:
            self._poll.register(client, GONE)

    def wait(self, seconds: float) -> bool:
        """Wait for the end of the execution; say whether it came.

        Raises:
            CallerGone: nobody is there any more to hear of it.
        """
        ready = {handle for handle, _ in self._poll.poll(seconds * 1000)}
        if self._wake in ready:
            return True
        if self._client in ready:
            raise CallerGone("the caller closed the connection")
        return False

    def end(self) -> None:
        """Wake the caller; from any thread, any number of times."""
        os.eventfd_write(self._wake, 1)

    def close(self) -> None:
        """Let go of the descriptor."""
        os.close(self._wake)


class Watchers:
    """Who waits, or is about to wait, for which execution in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watches: dict[str, set[Watch]] = {}
        self._expected: set[str] = set()

    def expect(self, execution_id: str) -> None:
        """Note, before an execution is recorded, that somebody will wait for it.

        Ends with his wait, or with the execution.
        """
        with self._lock:
            self._expected.add(execution_id)

    @contextmanager
    def watching(
        self, execution_id: str, *, client: int | None = None
    ) -> Iterator[Watch]:
        """Yield a wait for the end of an execution."""
        watch = Watch(client)
        with self._lock:
            self._watches.setdefault(execution_id, set()).add(watch)
        try:
            yield watch
        finally:
            with self._lock:
                self._expected.discard(execution_id)
                self._watches[execution_id].discard(watch)
                if not self._watches[execution_id]:
                    del self._watches[execution_id]
            watch.close()

    def tell(self, execution_id: str) -> None:
        """Wake whoever waits for this execution."""
        with self._lock:
            self._expected.discard(execution_id)
            for watch in self._watches.get(execution_id, ()):
                watch.end()

    def is_watched(self, execution_id: str) -> bool:
        """Tell whether somebody waits for this execution."""
        with self._lock:
            return execution_id in self._expected or execution_id in self._watches

    def watched(self) -> Collection[str]:
        """Return the ids of the executions that somebody waits for."""
        with self._lock:
            return self._expected.union(self._watches)
