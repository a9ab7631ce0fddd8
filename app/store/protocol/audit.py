"""The contract for the audit log."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from app.domain.audit import Action, Entry

Note = Callable[[Any], Iterable[Entry]]  # of what a change returned


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """Which entries a list shows; what is None does not filter."""

    action: Action | None = None
    actor: str | None = None  # a user, or the key or session that was shown
    target: str | None = None
    since: datetime | None = None  # at or after
    until: datetime | None = None  # before


class Audit(Protocol):
    """What was done in every tenant. Entries are added; none is changed or deleted.

    An entry about a change is committed with it: see `Store.noting`. Retention of
    executions leaves the log alone.
    """

    def add(self, entry: Entry) -> "Future[None]":
        """Remember what changed nothing else, such as a login that was refused.

        Raises:
            Invalid: it holds what JSON has no value for.
        """
        ...

    def list(
        self,
        tenant_id: str,
        wanted: AuditFilter,
        *,
        limit: int,
        before: str | None,
    ) -> Sequence[Entry]:
        """Return entries, newest first (by id), with ids below `before`."""
        ...
