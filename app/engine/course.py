"""The order of an execution's steps, and how it ends."""

import logging
from dataclasses import dataclass, replace

from app.domain.context import ExecutionContext
from app.domain.errors import Cancelled, DeadlineExceeded, StepFailed
from app.domain.execution import Failure, Status, StepStatus
from app.domain.signals import Ended
from app.engine.gate import Gate
from app.engine.journal import Journal
from app.engine.plan import Plan
from app.engine.steps import Steps

log = logging.getLogger(__name__)
ON_FAILURE_TIMEOUT = 60.0  # seconds for all on_failure steps together


@dataclass(frozen=True, slots=True)
class End:
    """How an execution ended."""

    status: Status
    error: Failure | None = None


class Course:
    """Carries one execution from its first unfinished step to its end."""

    def __init__(
        self,
        plan: Plan,
        steps: Steps,
        journal: Journal,
        context: ExecutionContext,
        gate: Gate,
    ) -> None:
        self._plan, self._steps = plan, steps
        self._journal, self._context = journal, context
        self._gate = gate

    def run(self) -> End:
        """Run what is left.

        Raises:
            Parked: it waits, and its steps are noted.
            Interrupted, Lost, StoreUnavailable: it goes on elsewhere, or not at all.
        """
        with self._gate.held():
            return self._run()

    def _run(self) -> End:
        failure = self._failed_before()
        if failure is None:
            end = self._main()
            if end.error is None:
                return end
            failure = end.error
        self._on_failure()
        return End(Status.FAILED, failure)

    def _main(self) -> End:
        reached: str | None = None
        try:
            for step in self._plan.steps:
                self._gate.rest()
                self._context.check()
                reached = step.path
                self._steps.carry_out(step, self._context)
        except Ended as end:
            failed = end.status is Status.FAILED
            return End(
                end.status, Failure("stop", str(end), reached) if failed else None
            )
        except Cancelled:
            return End(Status.CANCELLED)
        except (StepFailed, DeadlineExceeded) as error:
            return End(Status.FAILED, Failure(error.code, str(error), reached))
        return End(Status.SUCCESS)

    def _failed_before(self) -> Failure | None:
        for step in self._plan.steps:
            record = self._journal.find(step.path)
            if record is not None and record.status is StepStatus.FAILED:
                return record.error
        return None

    def _on_failure(self) -> None:
        spent = sum(
            record.duration_ms or 0
            for step in self._plan.on_failure
            if (record := self._journal.find(step.path)) is not None
        )
        left = max(0.0, ON_FAILURE_TIMEOUT - spent / 1000)
        deadline = self._context.clock() + left
        context = replace(self._context, deadline=deadline)
        try:
            for step in self._plan.on_failure:
                self._gate.rest()
                context.check()
                self._steps.carry_out(step, context)
        except (Ended, Cancelled, StepFailed, DeadlineExceeded) as error:
            log.warning("Failure handling ended early", extra={"reason": str(error)})
