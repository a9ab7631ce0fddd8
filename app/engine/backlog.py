"""Seated executions that wait for a thread, in the order in which they came."""

import threading
from collections import OrderedDict
from collections.abc import Collection

from app.domain.execution import Execution


class Backlog:
    """A queue of executions without their payloads; no longer than the seats."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: OrderedDict[str, Execution] = OrderedDict()

    def push(self, execution: Execution) -> None:
        """Add at the end."""
        with self._lock:
            self._waiting[execution.id] = execution

    def pop(self) -> Execution | None:
        """Take the first, if there is one."""
        with self._lock:
            return self._waiting.popitem(last=False)[1] if self._waiting else None

    def clear(self, *, but: Collection[str]) -> int:
        """Take all out but those that are named; return how many."""
        with self._lock:
            gone = [each for each in self._waiting if each not in but]
            for execution_id in gone:
                del self._waiting[execution_id]
            return len(gone)

    def ids(self) -> Collection[str]:
        """Return which wait now."""
        with self._lock:
            return set(self._waiting)

    def __len__(self) -> int:
        return len(self._waiting)

    def remove(self, execution_id: str) -> bool:
        """Take one out; say whether it was waiting here."""
        with self._lock:
            return self._waiting.pop(execution_id, None) is not None
