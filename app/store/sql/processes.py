"""Which processes may own executions, in SQL."""

from collections.abc import Sequence

from sqlalchemy import (
    Connection,
    Executable,
    Select,
    Update,
    delete,
    func,
    or_,
    select,
    update,
)

from app.domain.execution import Status
from app.domain.process import Crew, Process
from app.domain.times import to_ms
from app.store.sql import seats
from app.store.sql.database import Reader
from app.store.sql.spelling import Now
from app.store.sql.tables import executions, processes
from app.store.sql.tenancy import ALL, NOBODY
from app.store.sql.transitions import is_in
from app.store.sql.upserts import insert_or_replace
from app.store.sql.writer import Writes

TAKEN = 0  # a lease that was taken away
BUSY = (
    select(func.count().label("n")).select_from(executions).where(is_in(Status.RUNNING))
)
EXPIRED = (processes.c.lease_until <= Now(),)


class SqlProcesses:
    """`Processes` in a table; the database's clock judges the leases."""

    def __init__(self, reader: Reader, writer: Writes) -> None:
        self._reader = reader
        self._writer = writer

    def add(self, process: Process, *, lease: float | None = None) -> None:
        entry = insert_or_replace(processes).values(
            id=process.id,
            started_at=to_ms(process.started_at),
            kind=process.kind,
            workers=process.workers,
            queue=process.queue,
            lease_until=None if lease is None else _from_now(lease),
            ring=" ".join(process.keys),
        )
        self._change(entry)

    def extend(self, process: str, *, lease: float) -> bool:
        statement = (
            update(processes)
            .where(processes.c.id == process, processes.c.lease_until > TAKEN)
            .values(lease_until=_from_now(lease))
        )
        return self._change(statement) == 1

    def expire(self, process: str) -> Sequence[str]:
        if self._reader.first(_expired(process), of=NOBODY) is None:
            return []
        statement = _take_away(process)

        def change(connection: Connection) -> Sequence[str]:
            return connection.execute(statement).scalars().all()

        return sorted(self._writer.run(change, of=NOBODY))

    def without(self, key: str) -> Sequence[str]:
        known = func.coalesce(processes.c.ring, "").contains(key, autoescape=True)
        lives = or_(processes.c.lease_until.is_(None), processes.c.lease_until > Now())
        query = select(processes.c.id).where(~known, lives).order_by(processes.c.id)
        return [each.id for each in self._reader.all(query, of=NOBODY)]

    def others(self, process: str) -> Sequence[str]:
        query = (
            select(processes.c.id)
            .where(processes.c.id != process)
            .order_by(processes.c.id)
        )
        return [each.id for each in self._reader.all(query, of=NOBODY)]

    def retire(self, process: str) -> None:
        one = update(processes).where(processes.c.id == process)
        self._change(one.values(workers=0, queue=0))

    def remove(self, process: str) -> None:
        self._change(delete(processes).where(processes.c.id == process))

    def crew(self) -> Crew:
        looks = (seats.ABLE, BUSY, seats.QUEUED)
        able, busy, queued = self._reader.together(*looks, of=ALL)
        return Crew(
            workers=able[0].workers,
            capacity=able[0].capacity,
            busy=busy[0].n,
            queued=queued[0].n,
        )

    def _change(self, statement: Executable) -> int:
        def change(connection: Connection) -> int:
            return connection.execute(statement).rowcount

        return self._writer.run(change, of=NOBODY)


def _from_now(seconds: float) -> object:
    return Now() + round(seconds * 1000)


def _expired(but: str) -> Select[tuple[str]]:
    """Find a process whose lease has run out."""
    return select(processes.c.id).where(processes.c.id != but, *EXPIRED).limit(1)


def _take_away(but: str) -> Update:
    """Take from each process a lease that has run out, and return who had one."""
    return (
        update(processes)
        .where(processes.c.id != but, *EXPIRED)
        .values(lease_until=TAKEN)
        .returning(processes.c.id)
    )
