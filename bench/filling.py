"""Fills a store with history: much faster than it could have come in."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Table, create_engine, event, insert

from app.domain import ids, times
from app.domain.execution import Failure, Segment, Status, StepRecord, Trigger
from app.store.sql import SqlStore, execution_rows, tables
from app.store.sql.dedupe import LIFE_MS
from bench import event as github
from tests.store.company import Company, found, payload, step

CHUNK = 10_000  # executions of one transaction
SPAN = timedelta(days=14)  # as long as history is kept
BODY = github.BODY[:500]
LIVE = 300  # executions that wait for a thread, and as many that wait for a time
ENDS = {  # of a thousand; whoever is not among them ended well
    Status.FAILED: 60,
    Status.CANCELLED: 10,
    Status.UNKNOWN: 2,
    Status.QUARANTINED: 1,
}
ERROR = Failure("http-status", "The server answered 500.", "second")
OFTEN = 5  # one in so many executions is of the first workflow
MANUAL = 100  # one in so many was started by hand
CUSTOMERS = 100  # one in so many has the key of one of them

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Filled:
    """A store with history, and what to ask it for."""

    company: Company
    middle: str  # an execution in the middle of it

    @property
    def store(self) -> SqlStore:
        """The store itself."""
        store = self.company.store
        assert isinstance(store, SqlStore)
        return store


def filled(path: str, *, executions: int, workflows: int) -> Filled:
    """Make a store on a file; nothing is left to write when it is returned."""
    url = f"sqlite:///{path}"
    store = SqlStore(url)
    store.start()
    company = found(store)
    others = [ids.new("wf") for _ in range(workflows - 1)]
    engine = create_engine(url)
    event.listen(engine, "connect", _hurry)
    history = _History(company, others, executions)
    with engine.begin() as connection:
        _insert(connection, tables.workflows, list(history.workflows()))
        _insert(connection, tables.versions, list(history.versions()))
    for begin in range(0, executions, CHUNK):
        numbers = range(begin, min(executions, begin + CHUNK))
        with engine.begin() as connection:
            for table, rows in history.chunk(numbers).items():
                _insert(connection, table, rows)
    engine.dispose()
    for _ in range(LIVE):
        now = times.now()
        company.accept(created_at=now, owner=None)
        company.accept(
            created_at=now, status=Status.WAITING, owner=None, wake_at=now + SPAN
        )
    return Filled(company, history.id_of(executions // 2))


def _hurry(connection: Any, _: object) -> None:
    """What a crash would take is made again."""
    connection.execute("PRAGMA synchronous=OFF")


def _insert(connection: Connection, table: Table, rows: list[Row]) -> None:
    if rows:
        connection.execute(insert(table), rows)


class _History:
    """Executions that have ended, evenly over the time that they are kept."""

    def __init__(self, company: Company, others: list[str], size: int) -> None:
        self._company, self._others, self._size = company, others, size
        self._first = times.to_ms(times.now() - SPAN)
        self._apart = SPAN // timedelta(milliseconds=1) / max(1, size)
        self._tails = hashlib.sha256(company.id.encode()).hexdigest()[:15]
        sample = company.execution(owner=None)
        self._execution = execution_rows.execution_values(sample)
        self._payload = execution_rows.payload_values(sample, payload(body=BODY))
        steps: list[StepRecord] = [step("first"), step("second", 1)]
        self._steps = execution_rows.step_values(sample, steps)

    def workflows(self) -> Iterator[Row]:
        """Make the workflows that hardly ever run."""
        now, tenant = times.to_ms(times.now()), self._company.id
        for number, each in enumerate(self._others):
            yield {
                "tenant_id": tenant,
                "id": each,
                "name": f"Workflow {number}",
                "name_folded": f"workflow {number}",
                "version": 1,
                "is_active": 1,
                "token": "",
                "token_hash": os.urandom(32),
                "created_at": now,
                "updated_at": now,
            }

    def versions(self) -> Iterator[Row]:
        """Make the version of each."""
        for each in self._others:
            yield {
                "tenant_id": self._company.id,
                "workflow_id": each,
                "number": 1,
                "definition": b'{"steps": []}',
                "author_id": self._company.owner.id,
                "created_at": self._first,
            }

    def id_of(self, number: int) -> str:
        """Return the id that an execution of that time would have."""
        return f"exec_{self._at(number):012x}7{number % 4096:03x}8{self._tails}"

    def chunk(self, numbers: range) -> dict[Table, list[Row]]:
        """Make the rows of some executions."""
        made: dict[Table, list[Row]] = {
            tables.executions: [],
            tables.payloads: [],
            tables.steps: [],
            tables.dedupe: [],
        }
        for number in numbers:
            row = self._row(number)
            own = {"execution_id": row["id"]}
            made[tables.executions].append(row)
            made[tables.payloads].append(self._payload | own)
            made[tables.steps] += [each | own for each in self._steps]
            if number > self._size // 2:  # keys live half as long
                made[tables.dedupe].append(_key(row))
        return made

    def _row(self, number: int) -> Row:
        at, status = self._at(number), _end(number)
        failure = ERROR if status in {Status.FAILED, Status.UNKNOWN} else None
        segments = [Segment(times.from_ms(at), times.from_ms(at + 40))]
        return {
            **self._execution,
            **execution_rows.failure_values(failure),
            "id": self.id_of(number),
            "workflow_id": self._workflow(number),
            "status": status,
            "trigger": Trigger.WEBHOOK if number % MANUAL else Trigger.MANUAL,
            "created_at": at,
            "started_at": at + 2,
            "finished_at": at + 40,
            "segments": execution_rows.segments_value(segments),
            "key": f"customer-{number % CUSTOMERS}" if number % 2 else None,
        }

    def _workflow(self, number: int) -> str:
        if number % OFTEN == 0 or not self._others:
            return self._company.workflow.id
        return self._others[number % len(self._others)]

    def _at(self, number: int) -> int:
        return self._first + int(number * self._apart)


def _end(number: int) -> Status:
    place = number * 7 % 1000
    for status, share in ENDS.items():
        if place < share:
            return status
        place -= share
    return Status.SUCCESS


def _key(row: Row) -> Row:
    return {
        "tenant_id": row["tenant_id"],
        "workflow_id": row["workflow_id"],
        "key": hashlib.sha256(row["id"].encode()).digest()[:16],
        "execution_id": row["id"],
        "expires_at": row["created_at"] + LIFE_MS,
    }
