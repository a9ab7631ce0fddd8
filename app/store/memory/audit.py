"""The audit log, in memory."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from app.domain.audit import Entry
from app.store import envelope
from app.store.memory.state import State
from app.store.protocol import AuditFilter, Note


class MemoryAudit:
    """`Audit` in a list."""

    def __init__(self, state: State) -> None:
        self._state = state

    def add(self, entry: Entry) -> "Future[None]":
        checked = _checked(entry)
        return self._state.settle(lambda: self._state.audit.append(checked))

    def list(
        self,
        tenant_id: str,
        wanted: AuditFilter,
        *,
        limit: int,
        before: str | None,
    ) -> Sequence[Entry]:
        with self._state.lock:
            found = [
                each
                for each in self._state.audit
                if each.tenant_id == tenant_id
                and (before is None or each.id < before)
                and _shows(wanted, each)
            ]
        return sorted(found, key=lambda each: each.id, reverse=True)[:limit]


class Noted:
    """Collections each of whose changes is noted, with what it returned."""

    def __init__(self, state: State, collections: Any, note: Note) -> None:
        self._state, self._collections, self._note = state, collections, note

    def __getattr__(self, name: str) -> "_Noted":
        return _Noted(self._state, getattr(self._collections, name), self._note)


@dataclass(frozen=True, slots=True)
class _Noted:
    _state: State
    _collection: Any
    _note: Note

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._collection, name)

        def noted(*args: Any, **kwargs: Any) -> Any:
            with self._state.lock:
                before = self._state.changes
                result = method(*args, **kwargs)
                if isinstance(result, Future):
                    raise TypeError("what returns a future cannot be noted")
                if self._state.changes > before:
                    self._state.audit += map(_checked, self._note(result))
                return result

        return noted


def _checked(entry: Entry) -> Entry:
    """Return an entry that every store could keep.

    Raises:
        Invalid: it holds what JSON has no value for.
    """
    for name, each in entry.deed.changes.items():
        envelope.encoded("what changed", {name: [each.old, each.new]})
    return entry


def _shows(wanted: AuditFilter, entry: Entry) -> bool:
    deed = entry.deed
    return (
        wanted.action in (None, deed.action)
        and wanted.actor in (None, entry.user_id, entry.via)
        and wanted.target in (None, deed.target)
        and (wanted.since is None or entry.at >= wanted.since)
        and (wanted.until is None or entry.at < wanted.until)
    )
