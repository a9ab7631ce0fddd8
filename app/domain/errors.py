"""Every error the project raises on purpose."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with what a client sent: where (a JSON pointer), and what."""

    pointer: str
    message: str


class ServiceError(Exception):
    """Base of the hierarchy; `code` is a stable slug that clients may rely on."""

    code = "internal"


class NotFound(ServiceError):
    """The thing asked for is not stored, or belongs to another tenant."""

    code = "not-found"


class Conflict(ServiceError):
    """The change collides with what is stored."""

    code = "conflict"


class CredentialMissing(Conflict):
    """What is to be active names credentials that do not exist."""

    code = "credential-missing"

    def __init__(self, names: Iterable[str]) -> None:
        listed = ", ".join(f"`{each}`" for each in sorted(names))
        super().__init__(
            f"There is no credential {listed}; make it at /api/v1/credentials first."
        )


class SignupClosed(ServiceError):
    """The first registration was made and others are not open."""

    code = "signup-closed"


class Invalid(ServiceError):
    """What a client sent was understood and does not fit; `faults` says where."""

    code = "invalid"

    def __init__(self, message: str, faults: Sequence[Fault] = ()) -> None:
        super().__init__(message)
        self.faults = tuple(faults)


class Overloaded(ServiceError):
    """No room for another execution.

    Args:
        message: what there is too much of.
        retry_after: seconds after which there may be room.
        code: if it is not the queue that is full.
    """

    code = "queue-full"

    def __init__(
        self, message: str, *, retry_after: int = 1, code: str | None = None
    ) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.code = code or self.code


class RateLimited(Overloaded):
    """Somebody does something more often than they may; `code` says what."""

    code = "rate-limited"


class TooManyWorkflows(Conflict):
    """A tenant has `most` workflows, and may have no more."""

    code = "workflow-limit"

    def __init__(self, most: int) -> None:
        super().__init__(
            f"This tenant has {most} workflows, as many as it may: delete one, or have"
            " the operator raise SLUICE_MAX_WORKFLOWS."
        )


def full() -> Overloaded:
    """Make the error of an execution for which there is no place."""
    return Overloaded("Every worker is busy and the queue is full; try again.")


class StoreUnavailable(ServiceError):
    """The store could not commit; nothing may be promised."""

    code = "store-unavailable"


class OutcomeUnknown(StoreUnavailable):
    """The store was cut off while it committed: it may have kept everything."""


class Unsealable(ServiceError):
    """A stored secret does not open; the message says what to do."""

    code = "credential-unreadable"


class Duplicate(ServiceError):
    """It was recorded before, under the same key, as `execution_id`."""

    code = "duplicate"

    def __init__(self, execution_id: str) -> None:
        super().__init__(f"it was recorded before as {execution_id}")
        self.execution_id = execution_id


class CallerGone(ServiceError):
    """Who waited for an answer has hung up."""

    code = "caller-gone"


class StepFailed(ServiceError):
    """A step did not succeed; `code` is one of the failure codes of the API.

    Args:
        code: stable slug, for example ``http-status``.
        message: what was found, what was expected, what to do; no secret in it.
        retryable: whether the same step may succeed when tried again.
        retry_after: seconds the other side asked us to wait, if it did.
        output: JSON that the step leaves all the same; for the journal, not for logs.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        retryable: bool = False,
        retry_after: float | None = None,
        output: Any = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.output = output
        self.retryable = retryable
        self.retry_after = retry_after


class DeadlineExceeded(ServiceError):
    """A step or an execution used up its time."""

    code = "timeout"


class Cancelled(ServiceError):
    """The execution was told to stop by a person or a caller who went away."""

    code = "cancelled"


class Interrupted(ServiceError):
    """The process must end; the execution goes on in another one."""

    code = "interrupted"
