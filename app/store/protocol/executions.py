"""The contract for executions, their payloads and their journals."""

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.domain.execution import (
    Execution,
    Failure,
    Payload,
    Reason,
    Segment,
    Status,
    StepOutline,
    StepRecord,
    Trigger,
)
from app.domain.pace import Charge


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionFilter:
    """Which executions a list shows; what is None does not filter."""

    workflow_id: str | None = None
    status: Status | None = None
    trigger: Trigger | None = None
    since: datetime | None = None  # created at or after
    until: datetime | None = None  # created before
    q: str | None = None  # id prefix, part of a name in any case, key or error code


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued:
    """What waits for a thread."""

    owed: int  # executions without an owner
    oldest: datetime | None  # creation of the first in line, if anything waits


class Executions(Protocol):
    """All executions ever accepted; read, they bear their workflow's present name.

    Their ids are made within a minute of `created_at`, so a list of a stretch of time
    need not look at all others.

    A *held* execution is one as last read by the process that owns it. Writes about
    it hold only while its fence is the stored one: a lost race is answered with
    False and changes nothing.
    """

    def add(
        self,
        execution: Execution,
        payload: Payload,
        *,
        dedupe: bytes | None = None,
        seats: int = 0,
        charges: Sequence[Charge] = (),
    ) -> "Future[str]":
        """Record a new execution, its payload and one `received`, all or nothing.

        `received` is counted for the owner's process, or for the one that has let it
        in; without both for all.

        With a key that another execution of the workflow has brought within
        `dedupe.LIFE` before, only one `received` and one `duplicate` are counted. Of
        simultaneous executions with one key exactly one is recorded.

        One that needs a seat is recorded only while fewer have one than the workers
        that live can take, or than `seats` if that is more, whoever adds meanwhile.

        Each charge is taken out of its bucket, which all processes share, as at the
        instant at which the event came; whoever is refused takes nothing out of any.

        Returns:
            The id of the execution that counts: its own, or the one that was first.

        Raises:
            Invalid: a text in it cannot be stored.
            Overloaded: by the future; there is no seat, and nothing was counted.
            RateLimited: by the future; a bucket is empty, and nothing was counted.
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
        is_patient: bool = False,
    ) -> "Future[bool]":
        """Write the last steps and move `running` to a final state.

        When it is patient it may wait a moment for another change, to share a commit.
        """
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

    def queued(self, owner: str, *, limit: int) -> Queued:
        """Look at owed work and at what is queued for an owner.

        Owed work is counted up to `limit`.
        """
        ...

    def take_over(self, dead: str) -> int:
        """Make every live execution of a dead owner owed work, its fence higher.

        A running one also counts another `attempt`. Returns how many.
        """
        ...

    def disown(self) -> int:
        """Make the live executions of owners whom nobody remembers owed work.

        As `take_over`: a process that was thought dead may have written once more.
        """
        ...

    def cancel(
        self,
        tenant_id: str,
        execution_id: str,
        *,
        at: datetime,
        forget: bytes | None = None,
    ) -> Execution:
        """Cancel what is queued, waiting or parked; ask what is running to stop.

        Steps that wait are cancelled with it, and its key, if it is given as
        `forget`, is free for the next delivery. Returns the execution afterwards:
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
        """Return its steps in order, with outputs; none if there is no execution.

        They may be gigabytes: whoever shows them asks for the outline.
        """
        ...

    def outline(
        self,
        tenant_id: str,
        execution_id: str,
        *,
        after: int = 0,
        limit: int | None = None,
    ) -> Sequence[StepOutline]:
        """Return steps in order, without reading any output.

        Args:
            tenant_id: whose execution.
            execution_id: if there is none, it has no steps.
            after: how many steps to pass over.
            limit: how many to return at most; none: all that follow.
        """
        ...

    def outputs(
        self,
        tenant_id: str,
        execution_id: str,
        paths: Collection[str],
        *,
        most: int | None = None,
    ) -> Mapping[str, bytes]:
        """Return outputs of some steps by their paths; a step without one is missing.

        With `most` those that are longer, in bytes, are not read and missing, too.
        """
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
