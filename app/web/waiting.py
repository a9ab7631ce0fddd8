"""Callers who wait for the end of a run, each on a request thread."""

import threading
from contextlib import suppress
from typing import Self

from app.domain.errors import CallerGone, Conflict, Overloaded
from app.domain.execution import Execution, Trigger
from app.domain.ledger import Outcome
from app.domain.workflow import Published
from app.engine.dispatcher import Dispatcher
from app.engine.refusals import Refusals
from app.store.protocol import Executions
from app.web import outcomes
from app.web.outcomes import Answer
from app.web.problems import Refused

FINISH = 25.0  # seconds a sender waits who is answered at the end

FULL = "Too many callers wait for their runs; try again."


class WaitingRoom:
    """A bounded number of places, so that threads are left for everybody else."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        refusals: Refusals,
        executions: Executions,
        *,
        places: int,
    ) -> None:
        self._dispatcher, self._refusals = dispatcher, refusals
        self._executions = executions
        self._places = threading.BoundedSemaphore(places)

    def enter(
        self, published: Published, trigger: Trigger, client: int | None
    ) -> "Visit":
        """Take a place before anything is stored.

        Args:
            published: what is to run.
            trigger: what starts it.
            client: the caller's socket, to notice that he has gone.

        Raises:
            Overloaded: every place is taken; counted as shed.
        """
        if not self._places.acquire(blocking=False):
            self._refusals.count(published.workflow, trigger, Outcome.SHED)
            raise Overloaded(FULL, code="too-many-waiting")
        said = published.version.definition["trigger"]
        cancels = said.get("on_disconnect", "cancel") == "cancel"
        return Visit(self, client, cancels=cancels)

    def leave(self) -> None:
        """Give a place back."""
        self._places.release()

    def wait(
        self, execution: Execution, seconds: float, client: int | None, *, cancels: bool
    ) -> Execution:
        """Wait for the end of a run; cancel it, if asked to, when the caller goes.

        Raises:
            Refused: 504, it is not over yet and goes on.
            CallerGone: nobody hears the answer.
        """
        names = (execution.tenant_id, execution.id)
        try:
            over = self._dispatcher.wait(*names, seconds, client=client)
        except CallerGone:
            if cancels:
                with suppress(Conflict):  # it ended in this very moment
                    self._dispatcher.cancel(*names)
            raise
        if over is None:
            raise Refused(outcomes.still_running(execution, seconds))
        return over

    def outcome(self, over: Execution) -> Answer:
        """Return what a workflow answers itself.

        Raises:
            Refused: 502, the run did not succeed.
        """
        records = self._executions.steps(over.tenant_id, over.id)
        return outcomes.of(over, records)


class Visit:
    """One caller's place; used as a context, which gives the place back."""

    def __init__(self, room: WaitingRoom, client: int | None, *, cancels: bool) -> None:
        self._room, self._client, self._cancels = room, client, cancels

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._room.leave()

    def stay(self, execution: Execution, seconds: float) -> Execution:
        """Wait for the end of a run, as `WaitingRoom.wait` does."""
        return self._room.wait(execution, seconds, self._client, cancels=self._cancels)

    def answer(self, execution: Execution) -> Answer:
        """Wait for the end, and return what the workflow answers itself."""
        return self._room.outcome(self.stay(execution, FINISH))
