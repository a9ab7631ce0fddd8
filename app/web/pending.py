"""A delivery on its way to an answer. Knows no Flask."""

import logging
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial

import orjson

from app.domain.errors import Duplicate, ServiceError
from app.domain.execution import Execution
from app.web import problems
from app.web.outcomes import Answer
from app.web.problems import Problem
from app.web.waiting import Visit

log = logging.getLogger(__name__)
PATIENCE = 10.0  # seconds to wait for a commit
LATE = "The store did not commit the event in time; send it again."


class _Settled(Exception):
    """There is an answer, and nothing to wait for."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


class Pending:
    """A delivery that is answered already, or admitted and not yet committed.

    Args:
        future: ends with the commit.
        request_id: what problems name.
        patience: seconds to wait for the commit.
        visit: a place to wait for the end of the run, for who does.
        accepted: the status that tells the sender of success.
    """

    def __init__(
        self,
        future: "Future[Execution]",
        *,
        request_id: str,
        patience: float = PATIENCE,
        visit: Visit | None = None,
        accepted: int = 202,
    ) -> None:
        self._future = future
        self._teller = _Teller(request_id, patience, visit, accepted)

    @classmethod
    def refused(cls, problem: Problem, *, request_id: str) -> "Pending":
        """Make one that needs no wait."""
        future: Future[Execution] = Future()
        future.set_exception(problems.Refused(problem))
        return cls(future, request_id=request_id)

    @classmethod
    def settled(cls, answer: Answer, *, request_id: str) -> "Pending":
        """Make one whose answer is known."""
        future: Future[Execution] = Future()
        future.set_exception(_Settled(answer))
        return cls(future, request_id=request_id)

    def answer(self) -> Answer:
        """Wait for the commit, or for the end, and say what became of the delivery.

        Raises:
            Exception: what broke on our side.
        """
        return self._teller.answer(self._future)

    @property
    def waits_for_end(self) -> bool:
        """Whether `answer` takes as long as the run, and so needs a thread."""
        return self._teller.visit is not None

    def when_answered(self, tell: Callable[[Answer], None]) -> None:
        """Call back once, with the answer; maybe from the store's thread."""
        self._future.add_done_callback(partial(self._teller.answer_at_last, tell))

    @staticmethod
    def told(problem: Problem, request_id: str) -> Answer:
        """Tell a problem."""
        headers = {"Content-Type": problems.MEDIA_TYPE, **problem.headers}
        return Answer(problem.status, headers, problem.document(request_id))


@dataclass(frozen=True, slots=True)
class _Teller:
    """What makes an answer of a commit.

    Apart from its future, which keeps those that it calls: two that keep each other,
    and all that they know, are only found by looking for garbage.
    """

    request_id: str
    patience: float
    visit: Visit | None
    accepted: int

    def answer(self, future: "Future[Execution]") -> Answer:
        with self.visit or nullcontext():
            return self._answer(future)

    def answer_at_last(
        self, tell: Callable[[Answer], None], future: "Future[Execution]"
    ) -> None:
        try:
            answer = self.answer(future)
        except Exception:  # the last one who could tell the sender
            log.exception("Webhook failed")
            answer = Pending.told(problems.internal(), self.request_id)
        tell(answer)

    def _answer(self, future: "Future[Execution]") -> Answer:
        try:
            return self._outcome(future)
        except TimeoutError:
            headers = {"Retry-After": "1"}
            late = Problem(status=503, code="too-late", detail=LATE, headers=headers)
            return Pending.told(late, self.request_id)
        except _Settled as over:
            return over.answer
        except problems.Refused as error:
            return Pending.told(error.problem, self.request_id)
        except ServiceError as error:
            return Pending.told(problems.expected(error), self.request_id)

    def _outcome(self, future: "Future[Execution]") -> Answer:
        status, named = self.accepted, "queued"
        try:
            execution_id = future.result(self.patience).id
        except Duplicate as known:
            execution_id, status, named = known.execution_id, 200, "duplicate"
        if self.visit:
            return self.visit.answer(execution_id)
        return _received(status, named, execution_id)


def _received(status: int, named: str, execution_id: str) -> Answer:
    document = {"status": named, "execution_id": execution_id}
    headers = {
        "Content-Type": "application/json",
        "Location": f"/api/v1/executions/{execution_id}",
    }
    return Answer(status, headers, orjson.dumps(document))
