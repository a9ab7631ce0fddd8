"""The contract every store keeps.

Every method is one transaction, atomic and thread-safe. A method that returns a
`Future` hands its work to the writer and does not wait: the future ends when the
commit is durable (or failed, with `StoreUnavailable` or the named error), and its
callbacks run on the writer's thread, so they must be short and must not wait for
another change. Work handed over by one thread for one execution is carried out in that
order.

Every change raises `StoreUnavailable`, at once, when the store is closed or when too
much waits to be written.

Every query of a tenant's data names the tenant; an id of another tenant is not found.

Text in names and keys that holds U+0000 or half of a surrogate pair is refused with
`Invalid` and finds nothing, for not every database can keep it. In a failure's message
it is replaced, so that every failure can be recorded. JSON (definitions, headers,
queries) and bytes (bodies, outputs) come back exactly.
"""

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.domain.account import ApiKey, Role, Tenant, User
from app.domain.execution import (
    Execution,
    Failure,
    Payload,
    Reason,
    Segment,
    Status,
    StepRecord,
    Trigger,
)
from app.domain.ledger import Account, Balance, Outcome
from app.domain.workflow import Definition, Published, Version, Workflow


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionFilter:
    """Which executions a list shows; what is None does not filter."""

    workflow_id: str | None = None
    status: Status | None = None
    trigger: Trigger | None = None
    since: datetime | None = None  # created at or after
    until: datetime | None = None  # created before
    q: str | None = None  # id prefix, part of a name in any case, key or error code


class Accounts(Protocol):
    """Tenants and the people in them."""

    def register(
        self, tenant: Tenant, owner: User, key: ApiKey, *, only_first: bool
    ) -> None:
        """Remember a new tenant, its owner and the owner's first key, or nothing.

        With `only_first`, of simultaneous first registrations exactly one succeeds:
        a singleton row decides.

        Raises:
            SignupClosed: `only_first`, and somebody has registered before.
            Conflict: the address (compared in lower case) is taken.
        """

    def tenant(self, tenant_id: str) -> Tenant:
        """Return one tenant.

        Raises:
            NotFound: there is none.
        """
        ...

    def user(self, user_id: str) -> User:
        """Return one user.

        Raises:
            NotFound: there is none.
        """
        ...

    def role(self, tenant_id: str, user_id: str) -> Role:
        """Return what a user is in a tenant.

        Raises:
            NotFound: not a member.
        """
        ...


class ApiKeys(Protocol):
    """Keys of programs."""

    def add(self, key: ApiKey) -> None:
        """Remember a new key."""

    def find(self, prefix: str) -> ApiKey | None:
        """Return the key with this public part, revoked and expired ones too.

        The one query without a tenant: its answer says which tenant is calling.
        """
        ...

    def list(
        self, tenant_id: str, *, limit: int, before: str | None
    ) -> Sequence[ApiKey]:
        """Return keys that are not revoked, newest first, with ids below `before`."""
        ...

    def revoke(self, tenant_id: str, key_id: str, *, at: datetime) -> None:
        """End a key; again is no error.

        Raises:
            NotFound: the tenant has no such key.
        """


class Workflows(Protocol):
    """Workflows, their versions and their webhook tokens."""

    def add(self, workflow: Workflow, version: Version) -> None:
        """Remember a new workflow with its first version.

        Raises:
            Conflict: the tenant has a workflow of this name.
        """

    def get(self, tenant_id: str, workflow_id: str) -> Published:
        """Return a workflow with its current version.

        Raises:
            NotFound: there is none, or it is deleted.
        """
        ...

    def list(
        self, tenant_id: str, *, limit: int, before: str | None
    ) -> Sequence[Workflow]:
        """Return workflows, newest first, with ids below `before`."""
        ...

    def publish(  # noqa: PLR0913
        self,
        tenant_id: str,
        workflow_id: str,
        *,
        definition: Definition,
        name: str | None,
        author_id: str,
        at: datetime,
    ) -> Published:
        """Add a version, one above the current, and make it current.

        Raises:
            NotFound: there is no such workflow.
            Conflict: the new `name` is taken.
        """
        ...

    def change(
        self,
        tenant_id: str,
        workflow_id: str,
        *,
        name: str | None,
        is_active: bool | None,
        at: datetime,
    ) -> Published:
        """Change what is not None; no new version.

        Raises:
            NotFound: there is no such workflow.
            Conflict: the new `name` is taken.
        """
        ...

    def delete(self, tenant_id: str, workflow_id: str, *, at: datetime) -> None:
        """Hide a workflow; its name is free again, its history and its work stay.

        Raises:
            NotFound: there is none, or it is deleted already.
        """

    def version(self, tenant_id: str, workflow_id: str, number: int) -> Version:
        """Return one version, also of a deleted workflow.

        Raises:
            NotFound: there is none.
        """
        ...

    def versions(
        self, tenant_id: str, workflow_id: str, *, limit: int, before: int | None
    ) -> Sequence[Version]:
        """Return versions, newest first, with numbers below `before`.

        Raises:
            NotFound: there is no such workflow.
        """
        ...

    def by_token(self, token: str) -> Published | None:
        """Return the workflow behind a webhook URL, active or not; None if deleted.

        Looked up by the token's SHA-256, without a tenant: the token is the key.
        """
        ...


class Executions(Protocol):
    """All executions ever accepted; read, they bear their workflow's present name.

    A *held* execution is one as last read by the process that owns it. Writes about
    it hold only while its fence is the stored one: a lost race is answered with
    False and changes nothing.
    """

    def add(self, execution: Execution, payload: Payload) -> "Future[None]":
        """Record a new execution, its payload and one `received`, all or nothing.

        `received` is counted for the owner's process, without one for all.

        Raises:
            Invalid: a text in it cannot be stored.
            NotFound: by the future; the tenant has no such workflow and version.
            Conflict: by the future; it is recorded already.
        """
        ...

    def start(self, held: Execution, *, at: datetime) -> "Future[bool]":
        """Move `queued` to `running` and open a segment.

        The first start sets `started_at`.
        """
        ...

    def record(self, held: Execution, steps: Sequence[StepRecord]) -> "Future[bool]":
        """Write steps of a running execution; a record of the same path is replaced."""
        ...

    def finish(  # noqa: PLR0913
        self,
        held: Execution,
        steps: Sequence[StepRecord],
        *,
        status: Status,
        error: Failure | None,
        segments: Sequence[Segment],
        at: datetime,
    ) -> "Future[bool]":
        """Write the last steps and move `running` to a final state."""
        ...

    def park(
        self,
        held: Execution,
        steps: Sequence[StepRecord],
        *,
        reason: Reason,
        wake_at: datetime,
        segments: Sequence[Segment],
    ) -> "Future[bool]":
        """Write steps and move `running` to `waiting`, without an owner.

        What was asked to stop does not wait but becomes owed work, so that its next
        owner stops it at once.
        """
        ...

    def hand_back(
        self,
        held: Execution,
        steps: Sequence[StepRecord],
        *,
        segments: Sequence[Segment],
    ) -> "Future[bool]":
        """Write steps and make `running` owed work again: `queued`, no owner.

        Its `attempt` grows.
        """
        ...

    def release(
        self, owner: str, *, only: str | None = None, but: Collection[str] = ()
    ) -> int:
        """Make the queued executions of an owner owed work, their fence higher.

        Args:
            owner: whose executions.
            only: release no other execution than this one.
            but: keep these; a few hundred at most.

        Returns:
            How many they were.
        """
        ...

    def claim(self, owner: str, *, limit: int) -> Sequence[Execution]:
        """Take owed work: `queued` without owner, oldest first.

        Claimed executions stay `queued`, now with this owner and a higher fence. Of
        racing processes exactly one gets an execution.
        """
        ...

    def wake(self, at: datetime, *, limit: int) -> int:
        """Make waiting executions whose time has come owed work; return how many."""
        ...

    def next_wake(self) -> datetime | None:
        """Return when the next waiting execution must wake, if one waits."""
        ...

    def take_over(self, dead: str) -> int:
        """Make every live execution of a dead owner owed work, its fence higher.

        A running one also counts another `attempt`. Returns how many.
        """
        ...

    def cancel(self, tenant_id: str, execution_id: str, *, at: datetime) -> Execution:
        """Cancel what is queued, waiting or parked; ask what is running to stop.

        Steps that wait are cancelled with it. Returns the execution afterwards:
        `cancelled`, or `running` with `cancel_requested`.

        Raises:
            NotFound: there is none.
            Conflict: it is over.
        """
        ...

    def cancel_requested(self, owner: str) -> Sequence[str]:
        """Return the ids of an owner's running executions that must stop."""
        ...

    def get(self, tenant_id: str, execution_id: str) -> Execution:
        """Return one execution as it is now.

        Raises:
            NotFound: there is none.
        """
        ...

    def payload(self, tenant_id: str, execution_id: str) -> Payload:
        """Return what came in.

        Raises:
            NotFound: there is no such execution.
        """
        ...

    def steps(self, tenant_id: str, execution_id: str) -> Sequence[StepRecord]:
        """Return its steps in order, with outputs; none if there is no execution."""
        ...

    def list(
        self,
        tenant_id: str,
        wanted: ExecutionFilter,
        *,
        limit: int,
        before: str | None,
    ) -> Sequence[Execution]:
        """Return executions, newest first (by id), with ids below `before`."""
        ...


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


class Store(Protocol):
    """What the project remembers, one collection for each kind of thing."""

    @property
    def accounts(self) -> Accounts: ...
    @property
    def api_keys(self) -> ApiKeys: ...
    @property
    def workflows(self) -> Workflows: ...
    @property
    def executions(self) -> Executions: ...
    @property
    def ledger(self) -> Ledger: ...
    @property
    def processes(self) -> Processes: ...

    def start(self) -> None:
        """Bring the schema up to date and begin to write; once, after the fork.

        Raises:
            StoreUnavailable: the database cannot be opened.
        """

    def check(self) -> None:
        """Commit something small.

        Raises:
            StoreUnavailable: it cannot be written now.
        """

    def close(self) -> None:
        """Carry out what was handed over, then let go of every thread and file.

        Again is no error.
        """
