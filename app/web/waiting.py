"""Callers who wait for the end of a run, each on a request thread."""

import threading
from contextlib import suppress
from typing import Self

from app.domain.errors import CallerGone, Conflict, Overloaded
from app.domain.execution import Execution, Trigger
from app.domain.workflow import Published, Workflow
from app.engine.dispatcher import Dispatcher
from app.engine.refusals import Refusals
from app.store.protocol import Store
from app.web import outcomes
from app.web.outcomes import Answer
from app.web.problems import Refused

SERVER_ERROR = 500
FINISH = 25.0  # seconds a sender waits who is answered at the end

FULL = "Too many callers wait for their runs; try again."


class WaitingRoom:
    """A bounded number of places, so that threads are left for everybody else."""

    def __init__(
        self, dispatcher: Dispatcher, refusals: Refusals, store: Store, *, places: int
    ) -> None:
        self._dispatcher, self._refusals = dispatcher, refusals
        self._executions, self._dedupe = store.executions, store.dedupe
        self._places = threading.BoundedSemaphore(places)

    def enter(
        self,
        published: Published,
        trigger: Trigger,
        client: int | None,
        *,
        key: bytes | None = None,
    ) -> "Visit":
        """Take a place before anything is stored.

        Args:
            published: what is to run.
            trigger: what starts it.
            client: the caller's socket, to notice that he has gone.
            key: by which the event is known when it comes again, if it is.

        Raises:
            Overloaded: every place is taken; counted as shed.
        """
        if not self._places.acquire(blocking=False):
            full = Overloaded(FULL, code="too-many-waiting")
            self._refusals.shed(published.workflow, trigger, full.code)
            raise full
        return Visit(self, published, client, key)

    def leave(self) -> None:
        """Give a place back."""
        self._places.release()

    def wait(
        self, tenant_id: str, execution_id: str, seconds: float, client: int | None
    ) -> Execution:
        """Wait for the end of a run.

        Raises:
            Refused: 504, it is not over yet and goes on.
            CallerGone: nobody hears the answer.
        """
        names = (tenant_id, execution_id)
        over = self._dispatcher.wait(*names, seconds, client=client)
        if over is None:
            raise Refused(outcomes.still_running(execution_id, seconds))
        return over

    def abandon(self, tenant_id: str, execution_id: str, key: bytes | None) -> None:
        """Cancel a run whose caller has gone, unless others here wait for it too.

        Its key is free again: whoever sends the event once more wants it to run.
        """
        if self._dispatcher.is_waited_for(execution_id):
            return
        with suppress(Conflict):  # it ended in this very moment
            self._dispatcher.cancel(tenant_id, execution_id, forget=key)

    def outcome(self, over: Execution) -> Answer:
        """Return what a workflow answers itself.

        Raises:
            Refused: 502, the run did not succeed.
        """
        names = (over.tenant_id, over.id)
        found = self._executions.outline(*names)

        def output(path: str) -> bytes | None:
            return self._executions.outputs(*names, [path]).get(path)

        return outcomes.of(over, [each.record for each in found], output)

    def release(self, workflow: Workflow, execution_id: str, key: bytes) -> None:
        """Let the next copy of an event run."""
        names = (workflow.tenant_id, workflow.id, key)
        self._dedupe.forget(*names, execution_id=execution_id)


class Visit:
    """One caller's place; used as a context, which gives the place back.

    He may wait for a run that he started, or for one that a copy of his event did.
    """

    def __init__(
        self,
        room: WaitingRoom,
        published: Published,
        client: int | None,
        key: bytes | None,
    ) -> None:
        self._room, self._client, self._key = room, client, key
        self._workflow = published.workflow
        said = published.version.definition["trigger"]
        self._cancels = said.get("on_disconnect", "cancel") == "cancel"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._room.leave()

    def stay(self, execution_id: str, seconds: float) -> Execution:
        """Wait for the end of a run; cancel it, if asked to, when the caller goes.

        Raises:
            Refused: 504, it is not over yet and goes on.
            CallerGone: nobody hears the answer.
        """
        tenant_id = self._workflow.tenant_id
        try:
            return self._room.wait(tenant_id, execution_id, seconds, self._client)
        except CallerGone:
            if self._cancels:
                self._room.abandon(tenant_id, execution_id, self._key)
            raise

    def answer(self, execution_id: str) -> Answer:
        """Wait for the end, and return what the workflow answers itself.

        Who is told of an error of the server sends the event again, so that its key
        is free before he hears of it.

        Raises:
            Refused: 502 or 504.
            CallerGone: nobody hears the answer.
        """
        try:
            answer = self._room.outcome(self.stay(execution_id, FINISH))
        except Refused as refused:
            self._settle(execution_id, refused.problem.status)
            raise
        self._settle(execution_id, answer.status)
        return answer

    def _settle(self, execution_id: str, status: int) -> None:
        if status >= SERVER_ERROR and self._key is not None:
            self._room.release(self._workflow, execution_id, self._key)
