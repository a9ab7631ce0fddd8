"""Runs one execution on a thread of the pool, and writes how that ended."""

import logging
import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace
from functools import partial

from app.domain import times
from app.domain.context import ExecutionContext
from app.domain.errors import Interrupted, StoreUnavailable
from app.domain.execution import Execution, Failure, Segment, Status
from app.domain.masking import Mask
from app.engine import scopes
from app.engine.course import Course, End
from app.engine.house import House
from app.engine.journal import Journal, Lost
from app.engine.plans import Plans
from app.engine.steps import Parked, Steps, Tools
from app.telemetry import logs, traces
from app.telemetry.traces import Facts

log = logging.getLogger(__name__)
BROKEN = Failure("internal", "Sluice failed; its log has the details.")


class Runner:
    """Carries out held executions; each ends, waits, or becomes owed work again."""

    def __init__(
        self, house: House, plans: Plans, tools: Tools, *, time_limit: float
    ) -> None:
        self._executions, self._payloads = house.store.executions, house.payloads
        self._running, self._reporter = house.running, house.reporter
        self._watchers = house.watchers
        self._metrics, self._tracer = house.metrics, house.tracer
        self._settlement = house.settlement
        self._plans, self._tools, self._time_limit = plans, tools, time_limit

    def carry_out(self, held: Execution) -> None:
        """Run an execution until it ends, waits or must move; never raises."""
        context = ExecutionContext(held.id, time.monotonic() + self._time_limit)
        facts = {
            "tenant_id": held.tenant_id,
            "user_id": held.user_id,
            "workflow_id": held.workflow_id,
            "execution_id": held.id,
        }
        mask = Mask()
        with (
            logs.bound(**facts),
            logs.hiding(mask),
            self._running.entered(context) as admitted,
        ):
            if not admitted:
                return  # still queued, and handed over at the end of the drain
            if held.cancel_requested:
                context.cancel()
            self._run(_begun(held), context, mask)

    def _run(self, held: Execution, context: ExecutionContext, mask: Mask) -> None:
        if len(held.segments) == 1:
            self._tracer.span("queue", held.trace, began=held.created_at).end()
        facts: Facts = {
            "sluice.tenant_id": held.tenant_id,
            "sluice.workflow_id": held.workflow_id,
            "sluice.execution_id": held.id,
            "sluice.attempt": held.attempt,
        }
        with self._tracer.span("execution", held.trace, facts) as span:
            logs.bind(trace_id=span.trace_id)
            self._carry_on(held, context, mask)

    def _carry_on(self, held: Execution, context: ExecutionContext, mask: Mask) -> None:
        journal = Journal(self._executions, held)
        try:
            self._start(held).add_done_callback(partial(self._check, held, journal))
            if len(held.segments) == 1:
                self._reporter.started(held)
            end = self._course(held, journal, context, mask).run()
        except Parked as parked:
            self._park(held, journal, parked)
        except (Interrupted, StoreUnavailable) as error:
            self._hand_back(held, journal, error)
        except Lost:
            self._lose(held, journal)
        except Exception:
            log.exception("Execution broke")
            self._finish(held, journal, End(Status.FAILED, BROKEN))
        else:
            self._finish(held, journal, end)

    def _course(
        self, held: Execution, journal: Journal, context: ExecutionContext, mask: Mask
    ) -> Course:
        plan = self._plans.get(held.tenant_id, held.workflow_id, held.version)
        if len(held.segments) > 1:
            journal.load(plan.needs)
        payload = self._payloads.take(held.tenant_id, held.id)
        scope = scopes.make(held, plan, payload, journal)
        steps = Steps(scope, journal, self._tools, held, mask)
        if len(held.segments) > 1:
            steps.recall(plan.credentials)
        left = plan.timeout - _spent(held.segments)
        return Course(plan, steps, journal, context.within(left), self._tools.gate)

    def _start(self, held: Execution) -> "Future[bool]":
        """Say that it runs; not waited for: whatever is written next comes after."""
        return self._executions.start(held, at=held.segments[-1].started_at)

    def _check(
        self, held: Execution, journal: Journal, started: "Future[bool]"
    ) -> None:
        """A start that could not be stored makes every later write a lost race."""
        if isinstance(error := started.exception(), StoreUnavailable):
            self._hand_back(held, journal, error)

    def _finish(self, held: Execution, journal: Journal, end: End) -> None:
        at = times.now()
        span = traces.here()
        span.note({"sluice.status": end.status.value})
        if end.error is not None:
            span.fail(end.error.code)
        write = partial(
            self._executions.finish,
            held,
            journal.unwritten(),
            status=end.status,
            error=end.error,
            segments=_ended(held.segments),
            at=at,
            is_patient=not self._watchers.is_watched(held.id),
        )

        def report(counts: bool) -> None:  # noqa: FBT001
            if counts:
                self._reporter.ended(held, status=end.status, at=at)
            else:
                self._lose(held, journal)

        self._settlement.settle(write, report)

    def _park(self, held: Execution, journal: Journal, parked: Parked) -> None:
        traces.here().note({"sluice.status": "waiting"})
        write = partial(
            self._executions.park,
            held,
            journal.unwritten(),
            reason=parked.reason,
            wake_at=parked.wake_at,
            segments=_ended(held.segments),
        )
        self._settlement.settle(
            write, lambda counts: None if counts else self._lose(held, journal)
        )

    def _hand_back(self, held: Execution, journal: Journal, why: Exception) -> None:
        self._metrics.handed_back()
        traces.here().note({"sluice.status": "queued"})
        log.warning("Execution handed back", extra={"reason": str(why)})
        records, segments = journal.unwritten(), _ended(held.segments)

        def write() -> "Future[bool]":
            self._start(held)
            return self._executions.hand_back(held, records, segments=segments)

        def over(counts: bool) -> None:  # noqa: FBT001
            if counts:
                journal.is_handed_back = True
            else:
                self._lose(held, journal)

        self._settlement.settle(write, over)

    def _lose(self, held: Execution, journal: Journal) -> None:
        """Note that what was written here counted for nothing."""
        if journal.is_handed_back:  # by this process itself, as it could not write
            return
        self._metrics.lost()
        log.warning(
            "Execution goes on elsewhere",
            extra={"tenant_id": held.tenant_id, "execution_id": held.id},
        )


def _begun(held: Execution) -> Execution:
    at = times.now()
    return replace(
        held,
        started_at=held.started_at or at,
        segments=(*held.segments, Segment(at)),
    )


def _ended(segments: Sequence[Segment]) -> tuple[Segment, ...]:
    return (*segments[:-1], Segment(segments[-1].started_at, times.now()))


def _spent(segments: Sequence[Segment]) -> float:
    """Seconds of running in the segments that ended; a crashed one is not known."""
    return sum(
        (each.ended_at - each.started_at).total_seconds()
        for each in segments
        if each.ended_at is not None
    )
