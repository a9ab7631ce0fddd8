"""Which processes may own executions, in SQL."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, select

from app.domain.times import to_ms
from app.store.sql.database import Reader
from app.store.sql.tables import processes
from app.store.sql.tenancy import NOBODY
from app.store.sql.upserts import insert_or_replace
from app.store.sql.writer import Writes


class SqlProcesses:
    """`Processes` in a table."""

    def __init__(self, reader: Reader, writer: Writes) -> None:
        self._reader = reader
        self._writer = writer

    def add(self, process: str, *, at: datetime) -> None:
        entry = insert_or_replace(processes).values(id=process, started_at=to_ms(at))

        def change(connection: Connection) -> None:
            connection.execute(entry)

        self._writer.run(change, of=NOBODY)

    def others(self, process: str) -> Sequence[str]:
        query = (
            select(processes.c.id)
            .where(processes.c.id != process)
            .order_by(processes.c.id)
        )
        return [each.id for each in self._reader.all(query, of=NOBODY)]

    def remove(self, process: str) -> None:
        def change(connection: Connection) -> None:
            connection.execute(delete(processes).where(processes.c.id == process))

        self._writer.run(change, of=NOBODY)
