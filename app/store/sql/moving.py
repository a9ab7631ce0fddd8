"""A whole installation from one database into another, or nothing of it.

Rows are read in the order of their keys, in batches, and go as they are: what is
sealed stays sealed. Before the commit the target is read back.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, RowMapping, Table, func, insert, select
from sqlalchemy.exc import IntegrityError

from app.domain import times
from app.domain.errors import Conflict
from app.domain.times import from_ms
from app.store.sql import partitions, tenancy
from app.store.sql.columns import metadata
from app.store.sql.database import TENANTS, Database, reason
from app.store.sql.tables import executions, workflows

Batch = Sequence[RowMapping]
BATCH = 100  # rows at once: bodies and outputs may have a megabyte each
LEFT = frozenset({"processes", "probe"})  # of the processes that have stopped
TABLES = [each for each in metadata.sorted_tables if each.name not in LEFT]
OLDEST = timedelta(weeks=52)  # what is older goes without a partition of its own
UNLIMITED = ("statement_timeout", "idle_in_transaction_session_timeout")


@dataclass(frozen=True, slots=True)
class Count:
    """What a table holds: how many rows, and a hash of all of them in order."""

    table: str
    rows: int
    sha256: str


def move(source: Database, target: Database, tell: Callable[[Count], None]) -> None:
    """Copy every table and tell of each once it is read back the same.

    Both databases have this release's tables, and nobody else writes into either.

    Raises:
        Conflict: the target is not empty, or something came out different.
        StoreUnavailable: a database failed; the target has nothing.
    """
    try:
        with source.turn.held(), _reading(source) as rows, target.turn.held():
            target.connection.transact(lambda into: _fill(rows, into, tell))
    except IntegrityError as error:
        raise Conflict(f"the target refuses a row: {reason(error)}") from error
    finally:
        target.connection.close()


@contextmanager
def _reading(database: Database) -> Iterator[Connection]:
    engine = database.readers()
    try:
        with engine.connect() as connection:
            connection.execution_options(**{TENANTS: tenancy.ALL})
            _be_patient(connection)
            yield connection
    finally:
        engine.dispose()


def _fill(rows: Connection, into: Connection, tell: Callable[[Count], None]) -> None:
    tenancy.limit(into, tenancy.ALL)
    _be_patient(into)
    _require_sealed(rows)
    _require_empty(into)
    _make_room(rows, into)
    for table in TABLES:
        read = _count(table, _copied(rows, into, table))
        if read != _count(table, _batches(into, table)):
            raise Conflict(
                f"the table {table.name} came out different; nothing is kept"
            )
        tell(read)


def _require_sealed(rows: Connection) -> None:
    plain = select(workflows.c.id).where(workflows.c.token != "").limit(1)
    if rows.execute(plain).first() is not None:
        raise Conflict(
            "the source keeps tokens of webhooks in plain, as the first release did;"
            " start this release on it once, then stop it and move it"
        )


def _require_empty(into: Connection) -> None:
    for table in TABLES:
        if into.execute(select(func.count()).select_from(table)).scalar_one():
            raise Conflict(
                f"the target is not empty: the table {table.name} has rows;"
                " name a new database"
            )


def _make_room(rows: Connection, into: Connection) -> None:
    """Make partitions for all that comes, where there are any."""
    if into.dialect.name != "postgresql":
        return
    first = rows.execute(select(func.min(executions.c.created_at))).scalar()
    if first is not None:
        now = times.now()
        partitions.make(into, max(from_ms(first), now - OLDEST), now)


def _copied(rows: Connection, into: Connection, table: Table) -> Iterator[Batch]:
    """Yield the batches of a table, each once it is written."""
    for batch in _batches(rows, table):
        into.execute(insert(table), [dict(each) for each in batch])
        yield batch


def _batches(connection: Connection, table: Table) -> Iterator[Batch]:
    query = select(table).order_by(*table.primary_key)
    found = connection.execute(query, execution_options={"yield_per": BATCH})
    yield from found.mappings().partitions()


def _count(table: Table, batches: Iterator[Batch]) -> Count:
    hashed, rows = hashlib.sha256(), 0
    for batch in batches:
        rows += len(batch)
        for row in batch:
            hashed.update(repr(tuple(row.values())).encode())
    return Count(table.name, rows, hashed.hexdigest())


def _be_patient(connection: Connection) -> None:
    """Let one transaction take as long as it does."""
    if connection.dialect.name == "postgresql":
        for limit in UNLIMITED:
            connection.exec_driver_sql(f"SET LOCAL {limit} = 0")
