"""Keys of deliveries, in memory."""

from datetime import datetime

from app.store.memory.state import State


class MemoryDedupe:
    """`Dedupe` in a dictionary."""

    def __init__(self, state: State) -> None:
        self._state = state

    def forget(
        self, tenant_id: str, workflow_id: str, key: bytes, *, execution_id: str
    ) -> None:
        with self._state.writing():
            self._state.forget(tenant_id, workflow_id, key, execution_id)

    def sweep(self, at: datetime, *, limit: int) -> int:
        with self._state.writing():
            stale = sorted(
                (expires_at, known)
                for known, (_, expires_at) in self._state.dedupe.items()
                if expires_at <= at
            )
            for _, known in stale[:limit]:
                del self._state.dedupe[known]
            return len(stale[:limit])
