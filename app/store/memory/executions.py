"""Executions and their journals, in memory."""

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from datetime import datetime
from operator import attrgetter
from typing import Any

from app.domain import times
from app.domain.dedupe import LIFE
from app.domain.errors import Conflict, NotFound, full
from app.domain.execution import (
    FINAL,
    Execution,
    Failure,
    Payload,
    Reason,
    Segment,
    Status,
    StepOutline,
    StepRecord,
    StepStatus,
)
from app.domain.ledger import Account, Outcome
from app.domain.pace import Charge
from app.store import text
from app.store.envelope import pack
from app.store.memory.listing import matches
from app.store.memory.owed import OLDEST_FIRST, MemoryOwed, disowned
from app.store.protocol import ExecutionFilter


class MemoryExecutions(MemoryOwed):
    """`Executions` in dictionaries."""

    def add(
        self,
        execution: Execution,
        payload: Payload,
        *,
        dedupe: bytes | None = None,
        seats: int = 0,
        charges: Sequence[Charge] = (),
    ) -> "Future[str]":
        text.check("the key", execution.key or "")
        pack(payload)  # refuses what no database could hold
        counted = execution.owner or execution.seat or ""

        def change() -> str:
            if execution.seat and self._state.room(seats) < 1:
                raise full()
            self._state.pay(charges)
            first = self._holder(execution, dedupe) or execution.id
            if first == execution.id:
                self._insert(execution, payload, dedupe)
            else:
                self._count(execution, Outcome.DUPLICATE, counted)
            self._count(execution, Outcome.RECEIVED, counted)
            return first

        return self._state.settle(change)

    def start(self, held: Execution, *, at: datetime) -> "Future[bool]":
        def change() -> bool:
            stored = self._stored(held, Status.QUEUED)
            if stored is None:
                return False
            self._save(
                stored,
                status=Status.RUNNING,
                started_at=stored.started_at or at,
                segments=(*stored.segments, Segment(at)),
            )
            return True

        return self._state.settle(change)

    def record(self, held: Execution, steps: Sequence[StepRecord]) -> "Future[bool]":
        return self._leave(held, steps, lambda _: {})

    def finish(  # noqa: PLR0913
        self,
        held: Execution,
        steps: Sequence[StepRecord],
        *,
        status: Status,
        error: Failure | None,
        segments: Sequence[Segment],
        at: datetime,
        is_patient: bool = False,  # noqa: ARG002 - nothing is committed in memory
    ) -> "Future[bool]":
        return self._leave(
            held,
            steps,
            lambda _: {
                "status": status,
                "error": text.clean(error),
                "segments": tuple(segments),
                "finished_at": at,
                "seat": None,
            },
        )

    def park(
        self,
        held: Execution,
        steps: Sequence[StepRecord],
        *,
        reason: Reason,
        wake_at: datetime,
        segments: Sequence[Segment],
    ) -> "Future[bool]":
        def changes(stored: Execution) -> dict[str, Any]:
            left = {**disowned(stored), "segments": tuple(segments)}
            if stored.cancel_requested:
                return {**left, "status": Status.QUEUED}
            return {
                **left,
                "status": Status.WAITING,
                "waiting_for": reason,
                "wake_at": wake_at,
            }

        return self._leave(held, steps, changes)

    def hand_back(
        self,
        held: Execution,
        steps: Sequence[StepRecord],
        *,
        segments: Sequence[Segment],
    ) -> "Future[bool]":
        return self._leave(
            held,
            steps,
            lambda stored: {
                **disowned(stored),
                "status": Status.QUEUED,
                "attempt": stored.attempt + 1,
                "segments": tuple(segments),
            },
        )

    def cancel(
        self,
        tenant_id: str,
        execution_id: str,
        *,
        at: datetime,
        forget: bytes | None = None,
    ) -> Execution:
        with self._state.writing():
            found = self._find(tenant_id, execution_id)
            if found.status in FINAL:
                raise Conflict(f"the execution is over: {found.status}")
            if forget is not None:
                self._state.forget(tenant_id, found.workflow_id, forget, execution_id)
            if found.status is Status.RUNNING:
                return self._view(self._save(found, cancel_requested=True))
            self._cancel_waiting_steps(found)
            cancelled = self._save(
                found,
                status=Status.CANCELLED,
                seat=None,
                finished_at=at,
                wake_at=None,
                waiting_for=None,
            )
            return self._view(cancelled)

    def cancel_requested(self, owner: str) -> Sequence[str]:
        with self._state.lock:
            return sorted(
                each.id
                for each in self._with_status(Status.RUNNING)
                if each.owner == owner and each.cancel_requested
            )

    def get(self, tenant_id: str, execution_id: str) -> Execution:
        with self._state.lock:
            return self._view(self._find(tenant_id, execution_id))

    def payload(self, tenant_id: str, execution_id: str) -> Payload:
        with self._state.lock:
            self._find(tenant_id, execution_id)
            return self._state.payloads[tenant_id, execution_id]

    def steps(self, tenant_id: str, execution_id: str) -> Sequence[StepRecord]:
        with self._state.lock:
            journal = self._state.steps.get((tenant_id, execution_id), {})
            return sorted(journal.values(), key=attrgetter("position", "path"))

    def outline(
        self,
        tenant_id: str,
        execution_id: str,
        *,
        after: int = 0,
        limit: int | None = None,
    ) -> Sequence[StepOutline]:
        following = self.steps(tenant_id, execution_id)[after:]
        return [
            StepOutline(replace(each, output=None), _size(each.output))
            for each in following[:limit]
        ]

    def outputs(
        self,
        tenant_id: str,
        execution_id: str,
        paths: Collection[str],
        *,
        most: int | None = None,
    ) -> Mapping[str, bytes]:
        return {
            each.path: each.output
            for each in self.steps(tenant_id, execution_id)
            if each.output is not None
            and each.path in paths
            and (most is None or len(each.output) <= most)
        }

    def list(
        self,
        tenant_id: str,
        wanted: ExecutionFilter,
        *,
        limit: int,
        before: str | None,
    ) -> Sequence[Execution]:
        with self._state.lock:
            found = [
                self._view(each)
                for each in self._state.executions.values()
                if each.tenant_id == tenant_id and (before is None or each.id < before)
            ]
        shown = [each for each in found if matches(each, wanted)]
        return sorted(shown, key=OLDEST_FIRST, reverse=True)[:limit]

    def _holder(self, execution: Execution, key: bytes | None) -> str | None:
        """Return the execution that came before with a key that still counts."""
        name = (execution.tenant_id, execution.workflow_id, key or b"")
        holder, expires_at = self._state.dedupe.get(name, (None, times.EPOCH))
        return holder if expires_at > execution.created_at else None

    def _insert(
        self, execution: Execution, payload: Payload, key: bytes | None
    ) -> None:
        owned = (execution.tenant_id, execution.id)
        if owned in self._state.executions:
            raise Conflict("this execution is recorded already")
        workflow = (execution.tenant_id, execution.workflow_id)
        known = self._state.versions.get(workflow, ())
        if not any(each.number == execution.version for each in known):
            raise NotFound("no such workflow or version")
        self._state.executions[owned] = execution
        self._state.payloads[owned] = payload
        if key is not None:
            expires_at = execution.created_at + LIFE
            self._state.dedupe[*workflow, key] = (execution.id, expires_at)

    def _count(self, execution: Execution, outcome: Outcome, process: str) -> None:
        account = Account(
            execution.tenant_id,
            execution.workflow_id,
            execution.trigger,
            times.hour_of(execution.created_at),
        )
        self._state.counts[account, outcome, process] += 1

    def _find(self, tenant_id: str, execution_id: str) -> Execution:
        if (tenant_id, execution_id) not in self._state.executions:
            raise NotFound("There is no execution with this id.")
        return self._state.executions[tenant_id, execution_id]

    def _stored(self, held: Execution, status: Status) -> Execution | None:
        stored = self._state.executions.get((held.tenant_id, held.id))
        if stored is None or (stored.status, stored.fence) != (status, held.fence):
            return None
        return stored

    def _leave(
        self,
        held: Execution,
        steps: Sequence[StepRecord],
        changes: Callable[[Execution], dict[str, Any]],
    ) -> "Future[bool]":
        """Write steps of a running execution and change it, if it is still held."""

        def change() -> bool:
            stored = self._stored(held, Status.RUNNING)
            if stored is None:
                return False
            journal = self._state.steps.setdefault((held.tenant_id, held.id), {})
            for each in steps:
                journal[each.path] = replace(each, error=text.clean(each.error))
            self._save(stored, **changes(stored))
            return True

        return self._state.settle(change)

    def _cancel_waiting_steps(self, execution: Execution) -> None:
        key = (execution.tenant_id, execution.id)
        journal = self._state.steps.get(key, {})
        for path, step in journal.items():
            if step.status is StepStatus.WAITING:
                journal[path] = replace(step, status=StepStatus.CANCELLED)


def _size(output: bytes | None) -> int | None:
    return None if output is None else len(output)
