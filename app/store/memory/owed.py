"""Work that changes hands, in memory."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime
from operator import attrgetter
from typing import Any

from app.domain.execution import LIVE, Execution, Status
from app.store.memory.state import State
from app.store.protocol.executions import Queued

OLDEST_FIRST = attrgetter("id")


class MemoryOwed:
    """The part of `Executions` that is about owners."""

    def __init__(self, state: State) -> None:
        self._state = state

    def release(
        self, owner: str, *, only: str | None = None, but: Collection[str] = ()
    ) -> int:
        with self._state.writing():
            released = [
                each
                for each in self._with_status(Status.QUEUED)
                if each.owner == owner
                and only in (None, each.id)
                and each.id not in but
            ]
            for each in released:
                self._save(each, **disowned(each))
            return len(released)

    def claim(self, owner: str, *, limit: int) -> Sequence[Execution]:
        with self._state.writing():
            owed = [e for e in self._with_status(Status.QUEUED) if e.owner is None]
            oldest = sorted(owed, key=OLDEST_FIRST)[:limit]
            return [
                self._view(self._save(each, owner=owner, fence=each.fence + 1))
                for each in oldest
            ]

    def wake(self, at: datetime, *, limit: int) -> int:
        with self._state.writing():
            due = [e for e in self._waiting() if e.wake_at is None or e.wake_at <= at]
            for each in due[:limit]:
                self._save(each, status=Status.QUEUED, wake_at=None, waiting_for=None)
            return len(due[:limit])

    def next_wake(self) -> datetime | None:
        with self._state.lock:
            return next((each.wake_at for each in self._waiting()), None)

    def queued(self, owner: str, *, limit: int) -> Queued:
        with self._state.lock:
            found = [
                each
                for each in self._with_status(Status.QUEUED)
                if each.owner in (None, owner)
            ]
        owed = sum(each.owner is None for each in found)
        oldest = min((each.created_at for each in found), default=None)
        return Queued(owed=min(owed, limit), oldest=oldest)

    def take_over(self, dead: str) -> int:
        return self._take(lambda owner: owner == dead)

    def disown(self) -> int:
        return self._take(lambda owner: owner not in self._state.processes)

    def _take(self, gone: Callable[[str], bool]) -> int:
        """Make the live executions of owners who have gone owed work."""
        with self._state.writing():
            left = [
                each
                for each in self._state.executions.values()
                if each.owner and each.status in LIVE and gone(each.owner)
            ]
            for each in left:
                was_running = each.status is Status.RUNNING
                self._save(
                    each,
                    **disowned(each),
                    status=Status.QUEUED,
                    attempt=each.attempt + was_running,
                )
            return len(left)

    def _with_status(self, status: Status) -> Sequence[Execution]:
        return [e for e in self._state.executions.values() if e.status is status]

    def _waiting(self) -> Sequence[Execution]:
        """Those that wait, the first to wake first."""
        waiting = self._with_status(Status.WAITING)
        return sorted(waiting, key=attrgetter("wake_at", "id"))

    def _save(self, execution: Execution, **changes: Any) -> Execution:
        changed = replace(execution, **changes)
        self._state.executions[changed.tenant_id, changed.id] = changed
        return changed

    def _view(self, execution: Execution) -> Execution:
        """Return it with the name that its workflow has now."""
        key = (execution.tenant_id, execution.workflow_id)
        name = self._state.workflows[key].name
        if name == execution.workflow_name:
            return execution
        return replace(execution, workflow_name=name)


def disowned(execution: Execution) -> dict[str, Any]:
    """The changes that take an execution from its owner."""
    return {"owner": None, "fence": execution.fence + 1, "seat": None}
