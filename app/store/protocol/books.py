"""The contract for the ledger, and for the processes that write it."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from datetime import datetime
from typing import Protocol

from app.domain.ledger import Account, Balance, Outcome


class Ledger(Protocol):
    """The books of the door."""

    def book(
        self, counts: Mapping[tuple[Account, Outcome], int], *, process: str
    ) -> "Future[None]":
        """Add to the counters of one process, all or nothing."""
        ...

    def fold(self, dead: str) -> None:
        """Move the counters of a dead process to the shared ones."""

    def balance(
        self,
        tenant_id: str,
        *,
        workflow_id: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Balance:
        """Return the books of whole hours of receipt, read at one instant.

        `since` and `until` are cut to the hour; `until` is exclusive.
        """
        ...


class Processes(Protocol):
    """Who may own executions: one entry a running process."""

    def add(self, process: str, *, at: datetime) -> None:
        """Remember that a process has started."""

    def others(self, process: str) -> Sequence[str]:
        """Return every remembered process but this one."""
        ...

    def remove(self, process: str) -> None:
        """Forget a process; again is no error."""
