"""Turns a request to run into a place, then a row, then a job."""

import logging
import time
from collections.abc import Sequence
from concurrent.futures import Future
from contextvars import copy_context
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from app.domain import ids, times
from app.domain.errors import Duplicate, Overloaded, ServiceError
from app.domain.execution import LIVE, Execution, Payload, Status, Trigger
from app.domain.pace import Charge
from app.domain.workflow import Published
from app.engine.house import House
from app.engine.line import Line, Place
from app.engine.pool import PoolStats
from app.store.protocol import Note

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Something from outside to run."""

    published: Published
    trigger: Trigger
    payload: Payload
    user_id: str
    awaited: bool = False  # whether whoever submits it then waits for its end
    dedupe: bytes | None = None  # the key of what comes only once
    trace: str | None = None  # the context that it belongs to
    charges: Sequence[Charge] = ()  # against rates that several processes share


class Dispatcher:
    """The way in to the engine, and the way to stop what is in it."""

    def __init__(self, house: House, line: Line) -> None:
        self._house, self._line = house, line
        self._executions = house.store.executions

    @property
    def draining(self) -> bool:
        """Whether this process starts nothing more."""
        return self._house.running.closed

    def stats(self) -> PoolStats:
        """Count threads, places and refusals, wherever they are.

        Raises:
            StoreUnavailable: they are counted in the store, which cannot be read.
        """
        return self._line.stats()

    def submit(self, run: Run) -> "Future[Execution]":
        """Take a place, have the execution recorded, then queued.

        Returns:
            A future that ends when the commit is durable; its callbacks run on the
            store's thread.

        Raises:
            Overloaded: no place; counted as shed, and nothing is stored; where the
                store counts the places, from the future.
            RateLimited: from the future; too many have come to all processes.
            Duplicate: from the future; one with the same key was recorded before.
            StoreUnavailable: the store takes no more; from the future as well.
        """
        place = self._reserve(run)
        execution = self._execution(run, at=run.payload.received_at)
        answer: Future[Execution] = Future()
        if run.awaited:
            self._house.watchers.expect(execution.id)
        try:
            commit = self._executions.add(
                execution,
                run.payload,
                dedupe=run.dedupe,
                seats=self._line.seats,
                charges=run.charges,
            )
        except BaseException as error:
            self._not_recorded(run, place, execution, error)
            raise
        recorded = partial(self._recorded, run, place, execution, answer)
        commit.add_done_callback(partial(copy_context().run, recorded))
        return answer

    def cancel(
        self,
        tenant_id: str,
        execution_id: str,
        *,
        forget: bytes | None = None,
        note: Note | None = None,
    ) -> Execution:
        """Cancel what is queued or waiting, and stop what runs.

        With `forget`, its key, the next delivery with that key runs. With `note`, it
        is written down who did it; a caller who hangs up does without. Returns the
        execution afterwards; `running` with `cancel_requested` means that it was
        asked to stop.

        Raises:
            NotFound: there is none.
            Conflict: it is over.
        """
        at, executions = times.now(), self._executions
        if note is not None:
            executions = self._house.store.noting(note).executions
        after = executions.cancel(tenant_id, execution_id, at=at, forget=forget)
        self._line.leave(execution_id)
        self._house.running.cancel(execution_id)
        if after.status is Status.CANCELLED:
            self._house.reporter.ended(after, status=after.status, at=at)
        return after

    def wait(
        self,
        tenant_id: str,
        execution_id: str,
        seconds: float,
        *,
        client: int | None = None,
    ) -> Execution | None:
        """Wait until an execution is final or parked; None when time is up first.

        Args:
            tenant_id: whose execution it is.
            execution_id: what to wait for.
            seconds: how long at most.
            client: the caller's socket, to notice that he has gone.

        Raises:
            NotFound: there is none.
            CallerGone: nobody is there any more; the run goes on.
        """
        end = time.monotonic() + seconds
        with self._house.watchers.watching(execution_id, client=client) as over:
            while True:
                execution = self._executions.get(tenant_id, execution_id)
                if execution.status not in LIVE:
                    return execution
                left = end - time.monotonic()
                if left <= 0:
                    return None
                over.wait(min(left, self._line.glance))

    def is_waited_for(self, execution_id: str) -> bool:
        """Tell whether a caller of this process waits for the end of an execution."""
        return self._house.watchers.is_watched(execution_id)

    def _reserve(self, run: Run) -> Place:
        try:
            return self._line.reserve()
        except Overloaded as full:
            self._shed(run, full)
            raise

    def _execution(self, run: Run, *, at: datetime) -> Execution:
        workflow = run.published.workflow
        return Execution(
            tenant_id=workflow.tenant_id,
            id=ids.new("exec"),
            workflow_id=workflow.id,
            workflow_name=workflow.name,
            version=run.published.version.number,
            status=Status.QUEUED,
            trigger=run.trigger,
            user_id=run.user_id,
            created_at=at,
            trace=run.trace,
            **self._line.mark,
        )

    def _not_recorded(
        self, run: Run, place: Place, execution: Execution, error: BaseException
    ) -> None:
        """A refusal like any other: whoever sent it is told to try again."""
        self._house.watchers.tell(execution.id)
        self._shed(run, error)
        place.free(error)

    def _shed(self, run: Run, error: BaseException) -> None:
        code = error.code if isinstance(error, ServiceError) else ServiceError.code
        self._house.refusals.shed(run.published.workflow, run.trigger, code)

    def _recorded(
        self,
        run: Run,
        place: Place,
        execution: Execution,
        answer: "Future[Execution]",
        commit: "Future[str]",
    ) -> None:
        if error := commit.exception():
            self._house.doubts.raised_by(error)
            self._not_recorded(run, place, execution, error)
            answer.set_exception(error)
            return
        if duplicate := _duplicate(execution, commit.result()):
            self._house.watchers.tell(execution.id)
            place.free()
            answer.set_exception(duplicate)
            return
        if execution.owner is not None:  # else it is run elsewhere
            self._house.payloads.keep(execution.id, run.payload)
        place.take(execution)
        log.info(
            "Execution queued",
            extra={
                "tenant_id": execution.tenant_id,
                "user_id": execution.user_id,
                "workflow_id": execution.workflow_id,
                "execution_id": execution.id,
                "trigger": execution.trigger.value,
            },
        )
        answer.set_result(execution)


def _duplicate(execution: Execution, first: str) -> Duplicate | None:
    return None if first == execution.id else Duplicate(first)
