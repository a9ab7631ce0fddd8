"""One run of a workflow, its payload and its steps."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Status(StrEnum):
    """Where an execution stands."""

    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    SUCCESS = "success"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"
    QUARANTINED = "quarantined"


FINAL = frozenset({Status.SUCCESS, Status.FAILED, Status.CANCELLED})
ANSWERING = "respond"  # the kind of step whose output is for the caller alone
LIVE = frozenset({Status.QUEUED, Status.RUNNING, Status.WAITING})


class StepStatus(StrEnum):
    """Where a step stands."""

    PENDING = "pending"
    RUNNING = "running"
    WAITING = "waiting"
    SUCCESS = "success"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


OVER = frozenset({StepStatus.SUCCESS, StepStatus.SKIPPED, StepStatus.FAILED})


class Trigger(StrEnum):
    """What started an execution."""

    WEBHOOK = "webhook"
    MANUAL = "manual"
    SCHEDULE = "schedule"
    REPLAY = "replay"
    CHILD = "child"


class Reason(StrEnum):
    """Why an execution waits."""

    DELAY = "delay"
    RETRY = "retry"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an execution or a step failed; `code` is stable API."""

    code: str
    message: str
    step: str | None = None


@dataclass(frozen=True, slots=True)
class Segment:
    """One stretch of running; a crash leaves it without an end."""

    started_at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """One run of a workflow, as it was when read.

    `owner` is the process that may run it (none: owed work that anybody may
    claim); `fence` grows with each change of owner and is repeated by every write.
    """

    tenant_id: str
    id: str
    workflow_id: str
    workflow_name: str
    version: int
    status: Status
    trigger: Trigger
    user_id: str
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    attempt: int = 1  # grows when a process ended while running it
    owner: str | None = None
    fence: int = 1
    error: Failure | None = None
    segments: tuple[Segment, ...] = ()
    wake_at: datetime | None = None  # when waiting ends
    waiting_for: Reason | None = None
    cancel_requested: bool = False
    replay_of: str | None = None
    key: str | None = None
    seat: str | None = None  # the process that let it in, while it is one of so many
    trace: str | None = None  # W3C `traceparent` of what started it


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """What came in, exactly: the body's bytes and what describes them."""

    body: bytes
    content_type: str | None
    headers: Mapping[str, str]  # names in lower case, secrets left out
    query: Mapping[str, str | list[str]]
    method: str
    path: str
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRecord:
    """One step of one execution, as the journal remembers it."""

    path: str
    position: int  # order of first start within the execution
    uses: str
    status: StepStatus
    attempt: int = 1
    started_at: datetime | None = None
    duration_ms: int | None = None
    output: bytes | None = None  # compact JSON
    error: Failure | None = None
    idempotency_key: str | None = None

    @property
    def is_answer(self) -> bool:
        """Whether its output is for a caller who waits, and not for later steps."""
        return self.uses == ANSWERING


@dataclass(frozen=True, slots=True)
class StepOutline:
    """A step whose output was not read: the record lacks it."""

    record: StepRecord
    size: int | None  # bytes of the output, if there is one
