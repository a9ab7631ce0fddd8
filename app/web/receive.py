"""Other people's webhooks: let in, recorded, then answered. Knows no Flask.

`admit` neither waits nor blocks for the commit, so an event loop may call it; a
request thread then calls `answer`, a loop asks to be called by `when_answered`.
"""

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from app.domain.errors import (
    Duplicate,
    Overloaded,
    RateLimited,
    ServiceError,
    StepFailed,
)
from app.domain.execution import Execution, Payload, Trigger
from app.domain.ledger import Outcome
from app.domain.workflow import Workflow
from app.engine.dispatcher import Run
from app.engine.rates import Rates
from app.security.signatures.signed import Signed, Verdict
from app.telemetry import logs, traces
from app.telemetry.summed import Summed
from app.telemetry.traces import Kind, Span, Tracer
from app.web import deliveries, problems, verifying
from app.web.deliveries import Delivery
from app.web.doors import Door, Doors
from app.web.outcomes import Answer
from app.web.pending import Pending
from app.web.problems import Problem
from app.web.verifying import Verifier
from app.web.waiting import WaitingRoom

log = logging.getLogger(__name__)
ROUTE = "/hooks/<token>"
GONE = "There is no webhook at this URL: it is unknown, deleted or switched off."


@dataclass(frozen=True, slots=True)
class Judged:
    """What was let in."""

    body: bytes
    own: str | None  # id, by which its sender knows it


class Dispatches(Protocol):
    """The part of the dispatcher that a webhook needs."""

    def submit(self, run: Run) -> "Future[Execution]": ...


class CountsRefusals(Protocol):
    """The books of those who were turned away."""

    def count(self, workflow: Workflow, trigger: Trigger, outcome: Outcome) -> None: ...

    def shed(self, workflow: Workflow, trigger: Trigger, code: str) -> None: ...


class CountsWebhooks(Protocol):
    """The counters of webhooks, and of signatures that were refused."""

    def webhook(self, outcome: str) -> None: ...

    def unverified(self, scheme: str, reason: str) -> None: ...


class Receiver:
    """The way in for webhooks, whoever read them from the socket."""

    def __init__(  # noqa: PLR0913
        self,
        doors: Doors,
        dispatcher: Dispatches,
        refusals: CountsRefusals,
        metrics: CountsWebhooks,
        room: WaitingRoom,
        *,
        rates: Rates,
        tracer: Tracer,
        summed: Summed,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._doors, self._dispatcher = doors, dispatcher
        self._refusals, self._metrics = refusals, metrics
        self._room, self._rates = room, rates
        self._tracer, self._summed, self._clock = tracer, summed, clock

    def admit(self, delivery: Delivery) -> Pending:
        """Find the workflow, judge the delivery, take a seat; wait for nothing."""
        span = self._tracer.span(
            "receive",
            traces.parsed(delivery.headers.get(traces.HEADER)),
            {"http.request.method": delivery.method, "http.route": ROUTE},
            kind=Kind.IN,
            began=delivery.received_at,
        )
        logs.bind(trace_id=span.trace_id)
        try:
            return self._enter(delivery, span)
        except problems.Refused as error:
            problem = error.problem
        except ServiceError as error:
            self._metrics.webhook(_outcome(error))
            problem = problems.expected(error)
        span.note({"http.response.status_code": problem.status})
        span.fail(problem.code)
        span.end()
        return Pending.refused(problem, request_id=delivery.request_id)

    def _enter(self, delivery: Delivery, span: Span) -> Pending:
        door = self._doors.find(delivery.token)
        if door is None:
            self._metrics.webhook("unknown")
            raise problems.Refused(_gone())
        workflow = door.workflow
        span.note(
            {
                "sluice.tenant_id": workflow.tenant_id,
                "sluice.workflow_id": workflow.id,
            }
        )
        judged = self._judge(door, delivery)
        if isinstance(judged, Answer):
            self._book(door, "handshake", Outcome.HANDSHAKE)
            span.end()
            return Pending.settled(judged, request_id=delivery.request_id)
        return self._submit(door, delivery, judged, span)

    def _submit(
        self, door: Door, delivery: Delivery, judged: Judged, span: Span
    ) -> Pending:
        payload = deliveries.payload(delivery, judged.body, without=door.telling)
        run = Run(
            published=door.published,
            trigger=Trigger.WEBHOOK,
            payload=payload,
            user_id=door.published.version.author_id,
            awaited=door.waits,
            dedupe=_key(door, judged, payload),
            trace=span.context,
            charges=self._rates.charges(door.workflow),
        )
        with ExitStack() as undo:
            undo.callback(self._rates.give_back, door.workflow)
            visit = None
            if door.waits:
                visit = self._room.enter(
                    run.published, run.trigger, delivery.client, key=run.dedupe
                )
                undo.enter_context(visit)
            future = self._dispatcher.submit(run)
            undo.pop_all()  # from here on, the answer gives the place back
        future.add_done_callback(partial(self._count, span, door.workflow))
        return Pending(
            future,
            request_id=delivery.request_id,
            visit=visit,
            accepted=door.accepted,
        )

    def _judge(self, door: Door, delivery: Delivery) -> Judged | Answer:
        """Let a delivery in, or answer a handshake.

        Raises:
            Refused: what is wrong with the delivery; it is counted.
            RateLimited: too many come; it is counted as shed.
        """
        self._check_open(door)
        signed = None if door.verifier is None else door.verifier.read(delivery)
        answer = self._handshake(door, signed)
        if answer is not None:
            return answer
        if delivery.method not in door.methods:
            raise self._rejected(door, _wrong_method(delivery.method, door.methods))
        if isinstance(delivery.body, Problem):
            raise self._rejected(door, delivery.body)
        self._limit(door, self._rates.check)  # before a signature costs anything
        own = self._verified(door, signed)
        self._limit(door, self._rates.take)  # only what its sender signed counts
        if door.json_only and (reason := deliveries.no_json(delivery, delivery.body)):
            raise self._rejected(door, problems.not_json(reason))
        return Judged(delivery.body, own)

    def _check_open(self, door: Door) -> None:
        if not door.is_open:
            raise self._rejected(door, _gone())
        if door.is_locked:
            locked = verifying.locked()
            self._metrics.webhook("failed")
            self._refusals.shed(door.workflow, Trigger.WEBHOOK, locked.code)
            raise problems.Refused(locked)

    def _handshake(self, door: Door, signed: Signed | None) -> Answer | None:
        if door.verifier is None or signed is None:
            return None
        answer = door.verifier.handshake(signed, self._clock())
        if isinstance(answer, Verdict):
            raise self._unverified(door, door.verifier, answer)
        return answer

    def _verified(self, door: Door, signed: Signed | None) -> str | None:
        """Return what the sender repeats when it sends this again."""
        if door.verifier is None or signed is None:
            return None
        verdict = door.verifier.verdict(signed, self._clock())
        if verdict is not Verdict.OK:
            raise self._unverified(door, door.verifier, verdict)
        return door.verifier.delivery_id(signed)

    def _limit(self, door: Door, ask: Callable[[Workflow], None]) -> None:
        try:
            ask(door.workflow)
        except RateLimited as limited:
            self._refusals.shed(door.workflow, Trigger.WEBHOOK, limited.code)
            raise

    def _unverified(
        self, door: Door, verifier: Verifier, reason: Verdict
    ) -> problems.Refused:
        """Count it and log why; the sender is not told."""
        scheme = verifier.scheme.name
        self._summed.warn(
            log,
            "Webhook signature refused",
            tenant_id=door.workflow.tenant_id,
            workflow_id=door.workflow.id,
            scheme=scheme,
            reason=reason.value,
        )
        self._metrics.unverified(scheme, reason.value)
        self._book(door, "unverified", Outcome.REJECTED)
        return problems.Refused(verifying.unsigned())

    def _rejected(self, door: Door, problem: Problem) -> problems.Refused:
        self._book(door, "rejected", Outcome.REJECTED)
        return problems.Refused(problem)

    def _book(self, door: Door, outcome: str, booked: Outcome) -> None:
        self._metrics.webhook(outcome)
        self._refusals.count(door.workflow, Trigger.WEBHOOK, booked)

    def _count(
        self, span: Span, workflow: Workflow, future: "Future[Execution]"
    ) -> None:
        error = future.exception()
        outcome = _outcome(error)
        self._metrics.webhook(outcome)
        if error and not isinstance(error, Duplicate | RateLimited):
            self._rates.give_back(workflow)
        execution_id = None if error else future.result().id
        span.note({"sluice.outcome": outcome, "sluice.execution_id": execution_id})
        span.end()


def _key(door: Door, judged: Judged, payload: Payload) -> bytes | None:
    try:
        return door.key_of(judged.own, payload)
    except StepFailed as error:
        log.warning(
            "Webhook has no key",
            extra={
                "tenant_id": door.workflow.tenant_id,
                "workflow_id": door.workflow.id,
                "reason": str(error),
            },
        )
        return None


def _outcome(error: BaseException | None) -> str:
    """Name what became of a webhook, for the metrics."""
    if error is None:
        return "accepted"
    if isinstance(error, Overloaded):
        return "shed"
    return "duplicate" if isinstance(error, Duplicate) else "failed"


def _gone() -> Problem:
    return Problem(status=404, code="not-found", detail=GONE)


def _wrong_method(method: str, allowed: Sequence[str]) -> Problem:
    listed = ", ".join(allowed)
    detail = f"This webhook does not take {method}; it takes {listed}."
    return Problem(
        status=405, code="method-not-allowed", detail=detail, headers={"Allow": listed}
    )
