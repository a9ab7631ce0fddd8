"""What every kind of database has: one connection that writes, and many that read."""

import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, Engine, Executable, QueuePool, Row
from sqlalchemy.exc import DatabaseError, DataError, IntegrityError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from app.domain.errors import StoreUnavailable
from app.security.vault import Vault
from app.store.text import storable

log = logging.getLogger(__name__)
T = TypeVar("T")
Rows = Sequence[Row[Any]]
READER_WAIT = 5.0  # seconds until a reader without a connection gives up
TENANTS = "tenants"  # the execution option that says whose rows a transaction sees


class Turn(Protocol):
    """How processes take turns to write; for one thread at a time."""

    def held(self) -> AbstractContextManager[None]:
        """Wait for the turn as long as it takes, and have it."""
        ...

    def close(self) -> None:
        """Let go of what it needs; the next `held` takes it again."""


class WriteConnection:
    """The one connection that changes the database; for one thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None

    def transact(self, work: Callable[[Connection], T]) -> T:
        """Do something and commit it, or nothing.

        Raises:
            StoreUnavailable: the database failed; the next call connects anew, for
                some failures have rolled back behind our back.
        """
        try:
            with self._open().begin():
                return work(self._open())
        except DatabaseError as error:
            if not is_outage(error):
                raise
            self.close()
            raise StoreUnavailable(f"the database failed: {reason(error)}") from error

    def close(self) -> None:
        """Let go of the connection; a call of `transact` opens it again."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            connection.close()

    def _open(self) -> Connection:
        if self._connection is None:
            self._connection = self._engine.connect()
        return self._connection


class Database(Protocol):
    """A kind of database, and where it is. Making one opens nothing."""

    @property
    def connection(self) -> WriteConnection: ...
    @property
    def turn(self) -> Turn: ...

    def readers(self) -> Engine:
        """Return what opens connections that can only read."""
        ...

    def prepare(self, vault: Vault | None) -> None:
        """Bring the tables up to date, while every other process waits.

        Raises:
            StoreUnavailable: it cannot be used; says why.
        """

    def maintain(self) -> None:
        """Do its housework, beside the writer; for one thread.

        Raises:
            StoreUnavailable: the database failed.
        """

    def files(self) -> Sequence[Path]:
        """Return its files on this machine; none if it is elsewhere, or not made."""
        ...

    def exists(self) -> bool:
        """Tell whether there is one, as far as can be told without connecting."""
        ...

    def integrity(self) -> Executable:
        """Return the query that reads everything; its rows say what is damaged."""
        ...


class Reader:
    """Read-only connections for any number of threads.

    Each call is one read transaction, which sees the rows `of` the tenants that it
    names. Text that no database could hold finds nothing.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._is_open = False

    def open(self) -> None:
        """Allow to read."""
        self._is_open = True

    def first(self, query: Executable, *, of: str) -> Row[Any] | None:
        """Return the first row, if there is one.

        Raises:
            StoreUnavailable: the database failed, or is not open.
        """
        return next(iter(self.all(query, of=of)), None)

    def all(self, query: Executable, *, of: str) -> Rows:
        """Return every row.

        Raises:
            StoreUnavailable: the database failed, or is not open.
        """
        return self.together(query, of=of)[0]

    def together(self, *queries: Executable, of: str) -> Sequence[Rows]:
        """Return every row of several queries that see the same instant.

        Raises:
            StoreUnavailable: the database failed, or is not open.
        """
        if not self._is_open:
            raise StoreUnavailable("the store is not open")
        try:
            return self._read(queries, of) if storable(of) else [[] for _ in queries]
        except (UnicodeEncodeError, DataError):
            return [[] for _ in queries]
        except (DatabaseError, PoolTimeoutError) as error:
            log.error("Database not read", extra={"reason": reason(error)})  # noqa: TRY400
            raise StoreUnavailable("the database could not be read") from error

    def busy(self) -> int:
        """Count the connections that read now."""
        pool = self._engine.pool
        assert isinstance(pool, QueuePool)
        return pool.checkedout()

    def close(self) -> None:
        """Let go of every connection."""
        self._is_open = False
        self._engine.dispose()

    def _read(self, queries: Sequence[Executable], of: str) -> Sequence[Rows]:
        """Read; once more if the connection had been lost since it was used last."""
        try:
            return self._read_once(queries, of)
        except DatabaseError as error:
            if not error.connection_invalidated:
                raise
        return self._read_once(queries, of)

    def _read_once(self, queries: Sequence[Executable], of: str) -> Sequence[Rows]:
        with self._engine.connect() as connection:
            connection.execution_options(**{TENANTS: of})
            return [connection.execute(each).all() for each in queries]


def is_outage(error: Exception) -> bool:
    """Tell whether the database failed, and not what was asked of it."""
    asked = (IntegrityError, DataError, ProgrammingError)
    return isinstance(error, DatabaseError) and not isinstance(error, asked)


def lacks_parent(error: IntegrityError) -> bool:
    """Tell whether a row names another one that is not there."""
    said = error.orig
    name = getattr(said, "sqlite_errorname", None) or getattr(said, "sqlstate", None)
    return name in {"SQLITE_CONSTRAINT_FOREIGNKEY", "23503"}


def reason(error: Exception) -> str:
    """Return what the database itself said, on one line."""
    said = str(getattr(error, "orig", None) or error)
    return next(iter(said.splitlines()), "")
