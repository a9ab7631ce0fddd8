"""What the collections of one memory store share."""

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from app.domain import times
from app.domain.account import ApiKey, Member, Tenant, User
from app.domain.audit import Entry
from app.domain.credential import Credential
from app.domain.errors import ServiceError, StoreUnavailable
from app.domain.execution import Execution, Payload, Status, StepRecord
from app.domain.grant import Consent, Grant
from app.domain.invitation import Invitation
from app.domain.ledger import Account, Outcome
from app.domain.limit import Tally
from app.domain.pace import Charge
from app.domain.process import Crew, Kind, Process
from app.domain.session import Session
from app.domain.workflow import Version, Workflow

T = TypeVar("T")
TAKEN = times.EPOCH  # a lease that was taken away
Key = tuple[str, str]  # tenant (of a session: user), id


@dataclass(frozen=True, slots=True)
class Listed:
    """A process that may own executions."""

    process: Process
    lease_until: datetime | None  # none: it has no lease

    @property
    def takes(self) -> bool:
        """Whether it executes what others accept."""
        lives = self.lease_until is None or self.lease_until > times.now()
        return self.process.kind is Kind.WORKER and lives


@dataclass(slots=True)
class State:
    """Every table, behind one lock."""

    lock: threading.RLock = field(default_factory=threading.RLock)
    is_open: bool = True
    tenants: dict[str, Tenant] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    members: dict[Key, Member] = field(default_factory=dict)
    api_keys: dict[Key, ApiKey] = field(default_factory=dict)
    sessions: dict[Key, Session] = field(default_factory=dict)
    tries: dict[bytes, Tally] = field(default_factory=dict)
    invitations: dict[Key, Invitation] = field(default_factory=dict)
    workflows: dict[Key, Workflow] = field(default_factory=dict)
    deleted: set[Key] = field(default_factory=set)
    versions: dict[Key, list[Version]] = field(default_factory=dict)
    former_tokens: dict[bytes, tuple[Key, datetime]] = field(default_factory=dict)
    credentials: dict[Key, Credential] = field(default_factory=dict)
    uses: dict[Key, set[str]] = field(default_factory=dict)  # names, by workflow
    grants: dict[Key, Grant] = field(default_factory=dict)
    claims: dict[Key, datetime] = field(default_factory=dict)
    consents: dict[bytes, Consent] = field(default_factory=dict)
    executions: dict[Key, Execution] = field(default_factory=dict)
    payloads: dict[Key, Payload] = field(default_factory=dict)
    steps: dict[Key, dict[str, StepRecord]] = field(default_factory=dict)
    full_at: dict[bytes, float] = field(default_factory=dict)  # buckets, by key
    dedupe: dict[tuple[str, str, bytes], tuple[str, datetime]] = field(
        default_factory=dict
    )
    counts: Counter[tuple[Account, Outcome, str]] = field(default_factory=Counter)
    processes: dict[str, Listed] = field(default_factory=dict)
    audit: list[Entry] = field(default_factory=list)
    changes: int = 0  # so far

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the lock for one change.

        Raises:
            StoreUnavailable: the store is closed.
        """
        with self.lock:
            if not self.is_open:
                raise StoreUnavailable("the store is closed")
            self.changes += 1
            yield

    def forget(
        self, tenant_id: str, workflow_id: str, key: bytes, execution_id: str
    ) -> None:
        """Delete a key, if it is this execution's."""
        name = (tenant_id, workflow_id, key)
        if self.dedupe.get(name, ("",))[0] == execution_id:
            del self.dedupe[name]

    def crew(self) -> Crew:
        """Count what the workers that live can take, and what they have."""
        takers = [each.process for each in self.processes.values() if each.takes]
        live = self.executions.values()
        waiting = [each for each in live if each.status is Status.QUEUED]
        return Crew(
            workers=sum(each.workers for each in takers),
            capacity=sum(each.workers + each.queue for each in takers),
            busy=sum(each.status is Status.RUNNING for each in live),
            queued=sum(each.seat is not None for each in waiting),
        )

    def room(self, seats: int) -> int:
        """Count the seats that are free, of at least so many."""
        taken = sum(each.seat is not None for each in self.executions.values())
        return max(self.crew().capacity, seats) - taken

    def pay(self, charges: Iterable[Charge]) -> None:
        """Take one event out of all of its buckets, or out of none.

        Raises:
            RateLimited: one is empty.
        """
        self.full_at |= {
            each.key: each.pace.after(self.full_at.get(each.key, each.at), each.at)
            for each in charges
        }

    def settle(self, change: Callable[[], T]) -> "Future[T]":
        """Make a change now and return its future, which is done."""
        future: Future[T] = Future()
        with self.writing():
            try:
                result = change()
            except ServiceError as error:
                future.set_exception(error)
            else:
                future.set_result(result)
        return future
