"""One step: its condition, its attempts, and what is noted of them."""

import logging
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from app.connectors.http import HttpClient
from app.connectors.registry import Call
from app.connectors.tokens import Purse
from app.domain import jsons, times
from app.domain.context import ExecutionContext
from app.domain.errors import Cancelled, DeadlineExceeded, ServiceError, StepFailed
from app.domain.execution import (
    Execution,
    Failure,
    Reason,
    Status,
    StepRecord,
    StepStatus,
)
from app.domain.expression import Scope
from app.domain.masking import Mask
from app.domain.signals import Ended, Pause
from app.engine.gate import Gate
from app.engine.journal import Journal
from app.engine.keyring import Keyring
from app.engine.plan import PlannedStep
from app.engine.retry import wait_before
from app.security.secrets import Secrets
from app.telemetry import traces
from app.telemetry.metrics import Metrics
from app.telemetry.traces import Facts, Tracer

log = logging.getLogger(__name__)
IN_THREAD = 1.0  # seconds; a longer wait leaves the thread
DONE = frozenset({StepStatus.SUCCESS, StepStatus.SKIPPED})


class Parked(Exception):
    """The execution leaves its thread until an instant."""

    def __init__(self, reason: Reason, seconds: float) -> None:
        super().__init__(f"{reason} for {seconds} s")
        self.reason = reason
        self.wake_at: datetime = times.now() + timedelta(seconds=seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What every step of every execution uses."""

    http: HttpClient
    secrets: Secrets
    purse: Purse
    metrics: Metrics
    tracer: Tracer
    gate: Gate  # held by whoever runs steps
    max_output: int  # bytes


class Steps:
    """Carries out the steps of one execution and notes them in its journal."""

    def __init__(
        self,
        scope: Scope,
        journal: Journal,
        tools: Tools,
        held: Execution,
        mask: Mask,
    ) -> None:
        self._scope, self._journal, self._tools = scope, journal, tools
        self._key_base = held.id
        self._mask = mask
        self._keyring = Keyring(tools.secrets, tools.purse, held.tenant_id, mask)
        self._began = time.monotonic()  # of the attempt under way

    def recall(self, credentials: Iterable[str]) -> None:
        """Hide the values of credentials that an earlier segment may have used.

        Raises:
            StoreUnavailable: the store cannot be read.
        """
        self._keyring.recall(credentials)

    def carry_out(self, step: PlannedStep, context: ExecutionContext) -> None:
        """Bring a step to its end, unless it ended before a crash or a wait.

        Raises:
            StepFailed, DeadlineExceeded: it failed, and is noted as failed.
            Parked: it waits for its next attempt, or for its time.
            Ended: it ended the execution.
            Cancelled, Interrupted, Lost, StoreUnavailable: it could not go on.
        """
        record = self._journal.find(step.path)
        if record is None:
            self._begin(step, context)
        elif record.status is StepStatus.RUNNING:  # its outcome is unknown: repeat
            self._try(step, record, context)
        elif record.status is StepStatus.WAITING and record.error is not None:
            self._try(step, _again(record), context)
        elif record.status is StepStatus.WAITING:  # a pause that is over
            self._journal.note(replace(record, status=StepStatus.SUCCESS))

    def _begin(self, step: PlannedStep, context: ExecutionContext) -> None:
        record = StepRecord(
            path=step.path,
            position=self._journal.position(step.path),
            uses=step.uses,
            status=StepStatus.RUNNING,
            started_at=times.now(),
            idempotency_key=f"{self._key_base}:{step.path}",
        )
        try:
            wanted = step.condition is None or step.condition.holds(self._scope)
        except StepFailed as error:
            self._note(record, StepStatus.FAILED, error=error)
            raise
        if wanted:
            self._try(step, record, context)
        else:
            self._journal.note(replace(record, status=StepStatus.SKIPPED))

    def _try(
        self, step: PlannedStep, record: StepRecord, context: ExecutionContext
    ) -> None:
        parent = traces.here().context
        facts: Facts = {"sluice.step": step.path, "sluice.uses": step.uses}
        with self._tools.tracer.span("step", parent, facts):
            self._repeat(step, record, context)

    def _repeat(
        self, step: PlannedStep, record: StepRecord, context: ExecutionContext
    ) -> None:
        while (failure := self._attempt(step, record, context)) is not None:
            if not failure.retryable or record.attempt >= step.retry.attempts:
                raise self._give_up(record, failure)
            seconds = wait_before(
                record.attempt,
                base=step.retry.base,
                ceiling=step.retry.max,
                asked=failure.retry_after,
            )
            self._note(record, StepStatus.WAITING, error=failure)
            log.warning(
                "Step failed and is tried again",
                extra={"step": step.path, "attempt": record.attempt},
            )
            if seconds > IN_THREAD:
                raise Parked(Reason.RETRY, seconds)
            with self._tools.gate.left():
                context.sleep(seconds)
            record = _again(record)

    def _attempt(
        self, step: PlannedStep, record: StepRecord, context: ExecutionContext
    ) -> StepFailed | None:
        """Run a step once; return the failure that another attempt might mend."""
        parent = traces.here().context
        facts: Facts = {"sluice.step": step.path, "sluice.attempt": record.attempt}
        with self._tools.tracer.span("attempt", parent, facts) as span:
            failure = self._once(step, record, context)
            if failure is not None:
                span.fail(failure.code)
        return failure

    def _once(
        self, step: PlannedStep, record: StepRecord, context: ExecutionContext
    ) -> StepFailed | None:
        self._began = time.monotonic()
        try:
            output = self._perform(step, record, context)
        except StepFailed as failure:
            return self._hidden(failure)
        except Pause as pause:
            self._note(record, StepStatus.WAITING)
            raise Parked(Reason.DELAY, pause.seconds) from None
        except Ended as said:
            end = Ended(said.status, self._mask.text(str(said)))
            failed = end.status is Status.FAILED
            why = StepFailed("stop", str(end)) if failed else None
            status = StepStatus.FAILED if failed else StepStatus.SUCCESS
            self._note(record, status, error=why)
            raise end from None
        except Cancelled:
            self._note(record, StepStatus.CANCELLED)
            raise
        except DeadlineExceeded as late:
            self._note(record, StepStatus.FAILED, error=late)
            raise
        self._note(record, StepStatus.SUCCESS, output=output)
        return None

    def _perform(
        self, step: PlannedStep, record: StepRecord, context: ExecutionContext
    ) -> bytes:
        with _as_failures(step, context):
            value = self._run(step, record, context)
            output = jsons.encode(value, limit=self._tools.max_output)
        if self._mask.spots(output):
            value = self._mask.value(value)
            output = jsons.encode(value)
        seen = None if record.is_answer else value
        self._scope = self._scope.with_output(step.id, seen)
        return output

    def _run(
        self, step: PlannedStep, record: StepRecord, context: ExecutionContext
    ) -> Any:
        connector = step.render(self._scope)
        if not step.has_effect:
            return connector.run(self._call(step, record, context))
        self._journal.note(record)
        with self._tools.gate.left():  # to wait, for the commit and for the world
            self._journal.commit()
            return connector.run(self._call(step, record, context))

    def _call(
        self, step: PlannedStep, record: StepRecord, context: ExecutionContext
    ) -> Call:
        return Call(
            context=context.within(step.timeout),
            http=self._tools.http,
            idempotency_key=record.idempotency_key or "",
            keyring=self._keyring,
        )

    def _hidden(self, failure: StepFailed) -> StepFailed:
        """Return a failure without the values of credentials."""
        if not self._mask:
            return failure
        return StepFailed(
            failure.code,
            self._mask.text(str(failure)),
            retryable=failure.retryable,
            retry_after=failure.retry_after,
            output=self._mask.value(failure.output),
        )

    def _give_up(self, record: StepRecord, failure: StepFailed) -> StepFailed:
        if record.attempt > 1:
            failure = StepFailed(
                "attempts-exhausted",
                f"{record.attempt} attempts failed, the last with {failure.code}:"
                f" {failure}",
                output=failure.output,
            )
        output = self._kept(failure)
        if output is not None:
            self._scope = self._scope.with_output(record.path, failure.output)
        self._note(record, StepStatus.FAILED, output=output, error=failure)
        return failure

    def _kept(self, failure: StepFailed) -> bytes | None:
        """Write down what a failure leaves, if it leaves something that fits."""
        if failure.output is None:
            return None
        try:
            return jsons.encode(failure.output, limit=self._tools.max_output)
        except ValueError:
            return None

    def _note(
        self,
        record: StepRecord,
        status: StepStatus,
        *,
        output: bytes | None = None,
        error: ServiceError | None = None,
    ) -> None:
        seconds = time.monotonic() - self._began
        self._tools.metrics.step(record.uses, seconds)
        self._journal.note(
            replace(
                record,
                status=status,
                duration_ms=round(seconds * 1000),
                output=output,
                error=_failure(error, record),
            )
        )


def _failure(error: ServiceError | None, record: StepRecord) -> Failure | None:
    return None if error is None else Failure(error.code, str(error), record.path)


def _again(record: StepRecord) -> StepRecord:
    return replace(
        record,
        status=StepStatus.RUNNING,
        attempt=record.attempt + 1,
        started_at=times.now(),
    )


@contextmanager
def _as_failures(step: PlannedStep, context: ExecutionContext) -> Iterator[None]:
    """Tell a step that used up its own time from an execution that did."""
    try:
        yield
    except jsons.TooLarge as error:
        raise StepFailed(
            "too-large",
            f"The output is too large: {error}; hand on less, or raise"
            " SLUICE_MAX_OUTPUT.",
        ) from error
    except ValueError as error:
        raise StepFailed("expression", f"The output is no JSON: {error}") from error
    except DeadlineExceeded as error:
        if context.remaining() <= 0:
            raise
        raise StepFailed(
            "timeout",
            f"The step took longer than {step.timeout:g} s; raise its `timeout`.",
            retryable=True,
        ) from error
