"""Counted tries, in SQL."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Delete, Row, Select, delete, select, update

from app.domain.limit import NOW, Limit, Tally
from app.domain.times import from_ms, to_ms
from app.store.sql.account_tables import tries
from app.store.sql.database import Reader
from app.store.sql.tenancy import ALL
from app.store.sql.upserts import insert_or_skip
from app.store.sql.writer import Writes

Known = Mapping[bytes, Tally]


class SqlTries:
    """`Tries` in a table, whose rows are locked while they are counted."""

    def __init__(self, reader: Reader, writer: Writes) -> None:
        self._reader = reader
        self._writer = writer

    def take(self, limits: Mapping[bytes, Limit], *, at: datetime) -> timedelta:
        if (
            wait := _wait(limits, _known(self._reader.all(under(limits), of=ALL)), at)
        ) > NOW:
            return wait  # without a turn at the writer

        nothing = [
            {"key": each, "count": 0, "ready_at": 0, "expires_at": 0}
            for each in sorted(limits)  # in one order, so that nobody waits in a ring
        ]

        def change(connection: Connection) -> timedelta:
            connection.execute(insert_or_skip(tries), nothing)
            rows = connection.execute(under(limits).with_for_update()).all()
            known = _known(rows)
            if (wait := _wait(limits, known, at)) > NOW:
                return wait
            _write(connection, limits, known, at)
            return NOW

        return self._writer.run(change, of=ALL)

    def clear(self, key: bytes) -> None:
        def change(connection: Connection) -> None:
            connection.execute(delete(tries).where(tries.c.key == key))

        self._writer.run(change, of=ALL)

    def sweep(self, at: datetime, *, limit: int) -> int:
        statement = sweep(at, limit=limit)
        return self._writer.run(lambda c: c.execute(statement).rowcount, of=ALL)


def under(keys: Iterable[bytes]) -> Select[Any]:
    """Find the tallies under some keys, always in the same order."""
    made = tries.c.count.label("made")  # a row has a method with the column's name
    columns = (tries.c.key, made, tries.c.ready_at, tries.c.expires_at)
    return select(*columns).where(tries.c.key.in_([*keys])).order_by(tries.c.key)


def sweep(at: datetime, *, limit: int) -> Delete:
    """Delete the first tallies that have expired."""
    stale = (
        select(tries.c.key)
        .where(tries.c.expires_at <= to_ms(at))
        .order_by(tries.c.expires_at)
        .limit(limit)
    )
    return delete(tries).where(tries.c.key.in_(stale))


def _known(rows: Iterable[Row[Any]]) -> Known:
    return {
        each.key: Tally(each.made, from_ms(each.ready_at), from_ms(each.expires_at))
        for each in rows
    }


def _wait(limits: Mapping[bytes, Limit], known: Known, at: datetime) -> timedelta:
    waits = [limit.wait(known.get(key), at) for key, limit in limits.items()]
    return max(waits, default=NOW)


def _write(
    connection: Connection, limits: Mapping[bytes, Limit], known: Known, at: datetime
) -> None:
    for key, limit in limits.items():
        tally = limit.after(known.get(key), at)
        connection.execute(
            update(tries)
            .where(tries.c.key == key)
            .values(
                count=tally.count,
                ready_at=to_ms(tally.ready_at),
                expires_at=to_ms(tally.expires_at),
            )
        )
