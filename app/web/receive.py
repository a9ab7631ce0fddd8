"""Other people's webhooks: let in, recorded, then answered. Knows no Flask.

`admit` neither waits nor blocks for the commit, so an event loop may call it; a
request thread then calls `answer`, a loop asks to be called by `when_answered`.
"""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, nullcontext
from typing import Protocol

import orjson

from app.domain.errors import Overloaded, ServiceError
from app.domain.execution import Execution, Trigger
from app.domain.ledger import Outcome
from app.domain.workflow import Workflow
from app.engine.dispatcher import Run
from app.web import deliveries, problems
from app.web.deliveries import Delivery
from app.web.doors import Door, Doors
from app.web.outcomes import Answer
from app.web.problems import Problem
from app.web.waiting import Visit, WaitingRoom

log = logging.getLogger(__name__)
PATIENCE = 10.0  # seconds to wait for a commit
GONE = "There is no webhook at this URL: it is unknown, deleted or switched off."
LATE = "The store did not commit the event in time; send it again."


class Dispatches(Protocol):
    """The part of the dispatcher that a webhook needs."""

    def submit(self, run: Run) -> "Future[Execution]": ...


class CountsRefusals(Protocol):
    """The books of those who were turned away."""

    def count(self, workflow: Workflow, trigger: Trigger, outcome: Outcome) -> None: ...


class CountsWebhooks(Protocol):
    """The counter ``sluice_webhooks_total``."""

    def webhook(self, outcome: str) -> None: ...


class Pending:
    """A delivery that is refused already, or admitted and not yet committed."""

    def __init__(
        self,
        future: "Future[Execution]",
        *,
        request_id: str,
        patience: float = PATIENCE,
        visit: Visit | None = None,
    ) -> None:
        self._future, self._request_id = future, request_id
        self._patience, self._visit = patience, visit

    @classmethod
    def refused(cls, problem: Problem, *, request_id: str) -> "Pending":
        """Make one that needs no wait."""
        future: Future[Execution] = Future()
        future.set_exception(problems.Refused(problem))
        return cls(future, request_id=request_id)

    def answer(self) -> Answer:
        """Wait for the commit, or for the end, and say what became of the delivery.

        Raises:
            Exception: what broke on our side.
        """
        with self._visit or nullcontext():
            return self._answer()

    @property
    def waits_for_end(self) -> bool:
        """Whether `answer` takes as long as the run, and so needs a thread."""
        return self._visit is not None

    def _answer(self) -> Answer:
        try:
            execution = self._future.result(self._patience)
            tell = self._visit.answer if self._visit else _accepted
            return tell(execution)
        except TimeoutError:
            headers = {"Retry-After": "1"}
            late = Problem(status=503, code="too-late", detail=LATE, headers=headers)
            return self._told(late)
        except problems.Refused as error:
            return self._told(error.problem)
        except ServiceError as error:
            return self._told(problems.expected(error))

    def when_answered(self, tell: Callable[[Answer], None]) -> None:
        """Call back once, with the answer; maybe from the store's thread."""
        self._future.add_done_callback(lambda _: tell(self._answer_at_last()))

    def _answer_at_last(self) -> Answer:
        try:
            return self.answer()
        except Exception:  # the last one who could tell the sender
            log.exception("Webhook failed")
            return self._told(problems.internal())

    def _told(self, problem: Problem) -> Answer:
        headers = {"Content-Type": problems.MEDIA_TYPE, **problem.headers}
        return Answer(problem.status, headers, problem.document(self._request_id))


class Receiver:
    """The way in for webhooks, whoever read them from the socket."""

    def __init__(
        self,
        doors: Doors,
        dispatcher: Dispatches,
        refusals: CountsRefusals,
        metrics: CountsWebhooks,
        room: WaitingRoom,
    ) -> None:
        self._doors, self._dispatcher = doors, dispatcher
        self._refusals, self._metrics = refusals, metrics
        self._room = room

    def admit(self, delivery: Delivery) -> Pending:
        """Find the workflow, judge the delivery, take a seat; wait for nothing."""
        try:
            return self._submit(delivery)
        except problems.Refused as error:
            problem = error.problem
        except ServiceError as error:
            outcome = "shed" if isinstance(error, Overloaded) else "failed"
            self._metrics.webhook(outcome)
            problem = problems.expected(error)
        return Pending.refused(problem, request_id=delivery.request_id)

    def _submit(self, delivery: Delivery) -> Pending:
        door = self._doors.find(delivery.token)
        if door is None:
            self._metrics.webhook("unknown")
            raise problems.Refused(_gone())
        body = self._judge(door, delivery)
        if isinstance(body, Problem):
            self._metrics.webhook("rejected")
            self._refusals.count(door.workflow, Trigger.WEBHOOK, Outcome.REJECTED)
            raise problems.Refused(body)
        run = Run(
            published=door.published,
            trigger=Trigger.WEBHOOK,
            payload=deliveries.payload(delivery, body),
            user_id=door.published.version.author_id,
            awaited=door.waits,
        )
        with ExitStack() as undo:
            visit = None
            if door.waits:
                visit = self._room.enter(run.published, run.trigger, delivery.client)
                undo.enter_context(visit)
            future = self._dispatcher.submit(run)
            undo.pop_all()  # from here on, the answer gives the place back
        future.add_done_callback(self._count)
        return Pending(future, request_id=delivery.request_id, visit=visit)

    def _judge(self, door: Door, delivery: Delivery) -> bytes | Problem:
        """Return the body, or what is wrong with the delivery."""
        if not door.is_open:
            return _gone()
        if delivery.method not in door.methods:
            return _wrong_method(delivery.method, door.methods)
        if isinstance(delivery.body, Problem):
            return delivery.body
        if door.json_only and (reason := deliveries.no_json(delivery, delivery.body)):
            return problems.not_json(reason)
        return delivery.body

    def _count(self, future: "Future[Execution]") -> None:
        self._metrics.webhook("failed" if future.exception() else "accepted")


def _accepted(execution: Execution) -> Answer:
    document = {"status": "queued", "execution_id": execution.id}
    headers = {
        "Content-Type": "application/json",
        "Location": f"/api/v1/executions/{execution.id}",
    }
    return Answer(202, headers, orjson.dumps(document))


def _gone() -> Problem:
    return Problem(status=404, code="not-found", detail=GONE)


def _wrong_method(method: str, allowed: Sequence[str]) -> Problem:
    listed = ", ".join(allowed)
    detail = f"This webhook does not take {method}; it takes {listed}."
    return Problem(
        status=405, code="method-not-allowed", detail=detail, headers={"Allow": listed}
    )
