"""Executions and their journals, in SQL."""

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, select

from app.domain.errors import Conflict, NotFound
from app.domain.execution import (
    Execution,
    Failure,
    Payload,
    Reason,
    Segment,
    Status,
    StepOutline,
    StepRecord,
)
from app.domain.pace import Charge
from app.domain.times import to_ms
from app.store import text
from app.store.protocol import ExecutionFilter, Queued
from app.store.sql import execution_rows, journals, listing, owed, rows, transitions
from app.store.sql.database import Reader
from app.store.sql.dedupe import forget as forget_key
from app.store.sql.kinds import Held, New
from app.store.sql.rows import Values
from app.store.sql.tables import executions, payloads
from app.store.sql.tasks import Kind
from app.store.sql.tenancy import ALL
from app.store.sql.writer import Writes


class SqlExecutions:
    """`Executions` in three tables; the fence in each statement decides the races."""

    def __init__(self, reader: Reader, writer: Writes) -> None:
        self._reader = reader
        self._writer = writer

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
        new = New.of(execution, payload, dedupe, seats=seats, charges=charges)
        return self._writer.put(
            transitions.ADD, execution.id, new, of=execution.tenant_id
        )

    def start(self, held: Execution, *, at: datetime) -> "Future[bool]":
        changes = {
            "new_started_at": to_ms(at),
            "new_segments": execution_rows.segments_value(
                (*held.segments, Segment(at))
            ),
        }
        return self._put(transitions.START, held, [], changes, is_patient=True)

    def record(self, held: Execution, steps: Sequence[StepRecord]) -> "Future[bool]":
        return self._put(transitions.RECORD, held, steps, {})

    def finish(  # noqa: PLR0913
        self,
        held: Execution,
        steps: Sequence[StepRecord],
        *,
        status: Status,
        error: Failure | None,
        segments: Sequence[Segment],
        at: datetime,
        is_patient: bool = False,
    ) -> "Future[bool]":
        failure = execution_rows.failure_values(error)
        changes = {
            "new_status": status,
            "new_finished_at": to_ms(at),
            "new_segments": execution_rows.segments_value(segments),
            **{f"new_{name}": value for name, value in failure.items()},
        }
        return self._put(
            transitions.FINISH, held, steps, changes, is_patient=is_patient
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
        changes = {
            "new_reason": reason,
            "new_wake_at": to_ms(wake_at),
            "new_segments": execution_rows.segments_value(segments),
        }
        return self._put(transitions.PARK, held, steps, changes)

    def hand_back(
        self,
        held: Execution,
        steps: Sequence[StepRecord],
        *,
        segments: Sequence[Segment],
    ) -> "Future[bool]":
        changes = {"new_segments": execution_rows.segments_value(segments)}
        return self._put(transitions.HAND_BACK, held, steps, changes)

    def release(
        self, owner: str, *, only: str | None = None, but: Collection[str] = ()
    ) -> int:
        statement = owed.release(owed.of(owner)).where(executions.c.id.not_in(but))
        if only is not None:
            statement = statement.where(executions.c.id == only)
        return self._writer.run(lambda c: c.execute(statement).rowcount, of=ALL)

    def claim(self, owner: str, *, limit: int) -> Sequence[Execution]:
        statement = owed.claim(owner, limit=limit)
        found = self._writer.run(lambda c: c.execute(statement).all(), of=ALL)
        return [
            execution_rows.execution(each)
            for each in sorted(found, key=lambda row: row.id)
        ]

    def wake(self, at: datetime, *, limit: int) -> int:
        statement = owed.wake(at, limit=limit)
        return len(self._writer.run(lambda c: c.execute(statement).all(), of=ALL))

    def next_wake(self) -> datetime | None:
        found = self._reader.first(owed.next_wake(), of=ALL)
        return None if found is None else rows.instant(found.wake_at)

    def queued(self, owner: str, *, limit: int) -> Queued:
        looks = (owed.count(limit=limit), owed.first(None), owed.first(owner))
        [[counted]], *firsts = self._reader.together(*looks, of=ALL)
        created = [each.created_at for found in firsts for each in found]
        oldest = min(created, default=None)
        return Queued(owed=counted, oldest=rows.instant(oldest))

    def take_over(self, dead: str) -> int:
        return self._take(owed.of(dead))

    def disown(self) -> int:
        return self._take(owed.of_nobody())

    def cancel(
        self,
        tenant_id: str,
        execution_id: str,
        *,
        at: datetime,
        forget: bytes | None = None,
    ) -> Execution:
        def change(connection: Connection) -> Execution:
            cancelled = connection.execute(owed.cancel(tenant_id, execution_id, at=at))
            if cancelled.rowcount:
                connection.execute(owed.cancel_steps(tenant_id, execution_id))
            else:
                connection.execute(owed.ask_to_stop(tenant_id, execution_id))
            found = connection.execute(owed.one(tenant_id, execution_id)).first()
            if found is None:
                raise NotFound("There is no execution with this id.")
            if not cancelled.rowcount and found.status != Status.RUNNING:
                raise Conflict(f"the execution is over: {found.status}")
            if forget is not None:
                names = (tenant_id, found.workflow_id, forget, execution_id)
                connection.execute(forget_key(*names))
            return execution_rows.execution(found)

        return self._writer.run(change, of=tenant_id)

    def cancel_requested(self, owner: str) -> Sequence[str]:
        return [
            each.id for each in self._reader.all(owed.cancel_requested(owner), of=ALL)
        ]

    def get(self, tenant_id: str, execution_id: str) -> Execution:
        found = self._reader.first(owed.one(tenant_id, execution_id), of=tenant_id)
        if found is None:
            raise NotFound("There is no execution with this id.")
        return execution_rows.execution(found)

    def payload(self, tenant_id: str, execution_id: str) -> Payload:
        query = select(payloads).where(
            payloads.c.tenant_id == tenant_id, payloads.c.execution_id == execution_id
        )
        found = self._reader.first(query, of=tenant_id)
        if found is None:
            raise NotFound("There is no execution with this id.")
        return execution_rows.payload(found)

    def steps(self, tenant_id: str, execution_id: str) -> Sequence[StepRecord]:
        query = journals.whole(tenant_id, execution_id)
        return [
            execution_rows.step(each, each.output)
            for each in self._reader.all(query, of=tenant_id)
        ]

    def outline(
        self,
        tenant_id: str,
        execution_id: str,
        *,
        after: int = 0,
        limit: int | None = None,
    ) -> Sequence[StepOutline]:
        query = journals.outline(tenant_id, execution_id, after=after, limit=limit)
        return [
            StepOutline(execution_rows.step(each, None), each.size)
            for each in self._reader.all(query, of=tenant_id)
        ]

    def outputs(
        self,
        tenant_id: str,
        execution_id: str,
        paths: Collection[str],
        *,
        most: int | None = None,
    ) -> Mapping[str, bytes]:
        query = journals.outputs(tenant_id, execution_id, paths, most=most)
        return {
            each.path: each.output for each in self._reader.all(query, of=tenant_id)
        }

    def list(
        self,
        tenant_id: str,
        wanted: ExecutionFilter,
        *,
        limit: int,
        before: str | None,
    ) -> Sequence[Execution]:
        query = listing.page(tenant_id, wanted, limit=limit, before=before)
        return [
            execution_rows.execution(each)
            for each in self._reader.all(query, of=tenant_id)
        ]

    def _take(self, whose: ColumnElement[bool]) -> int:
        def change(connection: Connection) -> int:
            queued = connection.execute(owed.release(whose)).rowcount
            return queued + connection.execute(owed.interrupt(whose)).rowcount

        return self._writer.run(change, of=ALL)

    def _put(
        self,
        kind: Kind,
        held: Execution,
        steps: Sequence[StepRecord],
        changes: Values,
        *,
        is_patient: bool = False,
    ) -> "Future[bool]":
        parameters = {**transitions.held_by(held), **changes}
        member = Held(parameters, execution_rows.step_values(held, steps))
        return self._writer.put(
            kind, held.id, member, of=held.tenant_id, is_patient=is_patient
        )
