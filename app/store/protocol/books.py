"""The contract for the ledger, and for the processes that write it."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from datetime import datetime
from typing import Protocol

from app.domain.ledger import Account, Balance, Outcome
from app.domain.process import Crew, Process


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
    """Who may own executions: one entry a running process.

    A lease is a time by the store's clock at which a process counts as dead unless it
    has extended it. Where locks tell who lives, nobody has one.
    """

    def add(self, process: Process, *, lease: float | None = None) -> None:
        """Remember that a process has started, with a lease of so many seconds."""

    def extend(self, process: str, *, lease: float) -> bool:
        """Let a lease end so many seconds from now, and say whether there was one.

        Also one that has run out, but never one that was taken away by `expire`.
        """
        ...

    def expire(self, process: str) -> Sequence[str]:
        """Take away the leases that have run out, for good; this process's stays.

        Returns:
            Every process whose lease is gone, also those that lost it before.
        """
        ...

    def without(self, key: str) -> Sequence[str]:
        """Return who does not know a key, but nobody whose lease is over."""
        ...

    def others(self, process: str) -> Sequence[str]:
        """Return every remembered process but this one."""
        ...

    def retire(self, process: str) -> None:
        """Count a process no longer among those who can take executions."""

    def remove(self, process: str) -> None:
        """Forget a process; again is no error."""

    def crew(self) -> Crew:
        """Count what the workers that live can take, and what they have."""
        ...
