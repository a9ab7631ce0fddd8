"""Counted tries, in memory."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from app.domain.limit import NOW, Limit
from app.store.memory.state import State


class MemoryTries:
    """`Tries` in a dictionary."""

    def __init__(self, state: State) -> None:
        self._state = state

    def take(self, limits: Mapping[bytes, Limit], *, at: datetime) -> timedelta:
        with self._state.writing():
            tries = self._state.tries
            waits = [each.wait(tries.get(key), at) for key, each in limits.items()]
            longest = max(waits, default=NOW)
            if longest > NOW:
                return longest
            for key, each in limits.items():
                tries[key] = each.after(tries.get(key), at)
            return NOW

    def clear(self, key: bytes) -> None:
        with self._state.writing():
            self._state.tries.pop(key, None)

    def sweep(self, at: datetime, *, limit: int) -> int:
        with self._state.writing():
            known = self._state.tries.items()
            stale = [key for key, each in known if each.expires_at <= at][:limit]
            for key in stale:
                del self._state.tries[key]
            return len(stale)
