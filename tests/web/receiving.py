"""A receiver between a dispatcher and books that a test holds in its hands."""

import json
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from app.domain import times
from app.domain.errors import Overloaded
from app.domain.execution import Execution, Status, Trigger
from app.domain.ledger import Outcome
from app.engine.dispatcher import Run
from app.engine.rates import LocalRates
from app.store.memory import MemoryStore
from app.telemetry.summed import Summed
from app.telemetry.traces import Tracer
from app.web.deliveries import Delivery
from app.web.doors import Doors
from app.web.pending import Pending
from app.web.receive import Receiver
from app.web.verifying import Verifiers
from app.web.waiting import WaitingRoom
from tests.web.test_doors import TOKEN, Safe, Stored, published


def recorded(run: Run) -> Execution:
    workflow = run.published.workflow
    return Execution(
        tenant_id=workflow.tenant_id,
        id="exec_1",
        workflow_id=workflow.id,
        workflow_name=workflow.name,
        version=1,
        status=Status.QUEUED,
        trigger=run.trigger,
        user_id=run.user_id,
        created_at=run.payload.received_at,
    )


@dataclass
class Desk:
    """A dispatcher whose commits happen when the test says so."""

    full: bool = False
    runs: list[Run] = field(default_factory=list)
    futures: list["Future[Execution]"] = field(default_factory=list)

    def submit(self, run: Run) -> "Future[Execution]":
        if self.full:
            raise Overloaded("full", retry_after=2)
        self.runs.append(run)
        self.futures.append(Future())
        return self.futures[-1]

    def commit(self) -> None:
        self.futures[-1].set_result(recorded(self.runs[-1]))


@dataclass
class Books:
    """Counts refusals and webhooks."""

    refused: list[tuple[str, Trigger, Outcome]] = field(default_factory=list)
    outcomes: list[str] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)

    def count(self, workflow, trigger, outcome) -> None:
        self.refused.append((workflow.id, trigger, outcome))

    def shed(self, workflow, trigger, code) -> None:
        self.refused.append((workflow.id, trigger, Outcome.SHED))
        self.codes.append(code)

    def webhook(self, outcome: str) -> None:
        self.outcomes.append(outcome)

    def unverified(self, scheme: str, reason: str) -> None:
        self.outcomes.append(f"{scheme} {reason}")


class Rig:
    def __init__(
        self, *, rate: float = 0, rates: type[LocalRates] = LocalRates
    ) -> None:
        self.stored = Stored({TOKEN: published(methods=["POST", "PUT"])})
        self.desk, self.books = Desk(), Books()
        desk: Any = self.desk
        books: Any = self.books
        room = WaitingRoom(desk, books, MemoryStore(), places=1)
        self.safe = Safe()
        verifiers = Verifiers(self.safe, public_url="https://sluice.example")
        self.doors = Doors(self.stored, verifiers)
        self.now = 0.0
        self.rates = rates(workflow=rate, clock=lambda: self.now)
        self.receiver = Receiver(
            self.doors,
            desk,
            books,
            books,
            room,
            rates=self.rates,
            tracer=Tracer(),
            summed=Summed(),
        )

    def admit(self, **changes) -> Pending:
        given: dict[str, Any] = {
            "token": TOKEN,
            "method": "POST",
            "path": "",
            "query": "",
            "headers": {"content-type": "application/json"},
            "body": b"{}",
            "request_id": "req_1",
            "received_at": times.now(),
        }
        return self.receiver.admit(Delivery(**given | changes))

    def refused(self, status: int, **changes):
        """The problem of a refused delivery, after checking that it is counted."""
        answer = self.admit(**changes).answer()
        assert answer.status == status
        assert answer.headers["Content-Type"] == "application/problem+json"
        problem = json.loads(answer.body)
        assert problem["request_id"] == "req_1"
        assert self.desk.runs == []
        return answer, problem
