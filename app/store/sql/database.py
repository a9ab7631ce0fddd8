"""Connections to SQLite: one way to write, another to read."""

import logging
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    Executable,
    NullPool,
    QueuePool,
    Row,
    create_engine,
    event,
    make_url,
)
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    DataError,
    IntegrityError,
    ProgrammingError,
)
from sqlalchemy.exc import (
    TimeoutError as PoolTimeoutError,
)

from app.domain.errors import StoreUnavailable

log = logging.getLogger(__name__)
T = TypeVar("T")
Rows = Sequence[Row[Any]]
READERS = 40  # connections: more than there are request threads and workers
READER_WAIT = 5.0  # seconds until a reader without a connection gives up

WANTED = "the database URL must name an SQLite file, like sqlite:///data/sluice.db"

COMMON = (
    "busy_timeout = 5000",
    "temp_store = MEMORY",
    "trusted_schema = OFF",
)
WRITING = (
    *COMMON,
    "foreign_keys = ON",
    "synchronous = FULL",
    "journal_size_limit = 67108864",
    "wal_autocheckpoint = 4000",
    "cache_size = -65536",
)
READING = (*COMMON, "query_only = ON", "cache_size = -2048")


def path_of(url: str) -> Path:
    """Return the database file of an SQLite URL.

    Raises:
        ValueError: the URL names no file; its text is not repeated, for it may hold
            a password.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ValueError(WANTED) from None
    names_a_file = parsed.database not in (None, "", ":memory:")
    if parsed.drivername != "sqlite" or not names_a_file or parsed.query:
        raise ValueError(f"{WANTED}; found one for {parsed.drivername}")
    return Path(str(parsed.database))


class WriteConnection:
    """The one connection that changes the file; for one thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._engine = _engine(path, WRITING, begin="BEGIN IMMEDIATE", pool=NullPool)
        self._connection: Connection | None = None
        self._file: tuple[int, int] | None = None  # the one that was opened

    def create(self) -> None:
        """Choose what can only be chosen for an empty file; again does nothing.

        Raises:
            StoreUnavailable: the file cannot be used as a database.
        """
        try:
            driver: Any = self._open().connection.driver_connection
            driver.execute("PRAGMA auto_vacuum = INCREMENTAL")  # before the journal
            [mode] = driver.execute("PRAGMA journal_mode = WAL").fetchone()
        except (DatabaseError, sqlite3.DatabaseError) as error:
            raise StoreUnavailable(f"the database cannot be opened: {error}") from error
        if mode != "wal":
            raise StoreUnavailable(
                f"the database's journal is {mode!r} and must be 'wal';"
                " put it on a local disk"
            )

    def transact(self, work: Callable[[Connection], T]) -> T:
        """Do something and commit it, or nothing.

        Raises:
            StoreUnavailable: the database failed; the next call connects anew, for
                some failures have rolled back behind our back.
        """
        self._check_file()
        try:
            with self._open().begin():
                return work(self._open())
        except DatabaseError as error:
            if not is_outage(error):
                raise
            self.close()
            raise StoreUnavailable(f"the database failed: {error.orig}") from error

    def erase(self, work: Callable[[Connection], T]) -> T:
        """Do something and commit it, so that what it replaces is nowhere in the file.

        While somebody else reads, the journal still has it, and goes with the last
        process.

        Raises:
            StoreUnavailable: the database failed.
        """
        driver: Any = self._open().connection.driver_connection
        # should we end before the file is rewritten
        driver.execute("PRAGMA secure_delete = ON")
        done = self.transact(work)
        try:
            driver.execute("VACUUM")  # pages that were split keep copies
            driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.DatabaseError as error:
            raise StoreUnavailable(f"the database failed: {error}") from error
        return done

    def close(self) -> None:
        """Let go of the connection; a call of `transact` opens it again."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            connection.close()

    def _open(self) -> Connection:
        if self._connection is None:
            self._connection = self._engine.connect()
            self._file = _file_at(self._path)
        return self._connection

    def _check_file(self) -> None:
        """Refuse to write into a file that nobody would find again."""
        found = _file_at(self._path)
        if self._file is None or found == self._file:
            return
        self.close()
        if found is None:
            raise StoreUnavailable("the database file was deleted; put it back")


class Reader:
    """Read-only connections for any number of threads.

    Each call is one read transaction. Text that no database could hold finds nothing.
    """

    def __init__(self, path: Path) -> None:
        self._engine = _engine(
            path,
            READING,
            begin="BEGIN",
            pool=QueuePool,
            pool_size=READERS,
            max_overflow=0,
            pool_timeout=READER_WAIT,
        )
        self._is_open = False

    def open(self) -> None:
        """Allow to read."""
        self._is_open = True

    def first(self, query: Executable) -> Row[Any] | None:
        """Return the first row, if there is one.

        Raises:
            StoreUnavailable: the database failed, or is not open.
        """
        return next(iter(self.all(query)), None)

    def all(self, query: Executable) -> Rows:
        """Return every row.

        Raises:
            StoreUnavailable: the database failed, or is not open.
        """
        return self.together(query)[0]

    def together(self, *queries: Executable) -> Sequence[Rows]:
        """Return every row of several queries that see the same instant.

        Raises:
            StoreUnavailable: the database failed, or is not open.
        """
        if not self._is_open:
            raise StoreUnavailable("the store is not open")
        try:
            with self._engine.connect() as connection:
                return [connection.execute(each).all() for each in queries]
        except UnicodeEncodeError:
            return [[] for _ in queries]
        except (DatabaseError, PoolTimeoutError) as error:
            reason = str(getattr(error, "orig", error))
            log.error("Database not read", extra={"reason": reason})  # noqa: TRY400
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


def _file_at(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def is_outage(error: Exception) -> bool:
    """Tell whether the database failed, and not what was asked of it."""
    asked = (IntegrityError, DataError, ProgrammingError)
    return isinstance(error, DatabaseError) and not isinstance(error, asked)


def _engine(
    path: Path, pragmas: Sequence[str], *, begin: str, pool: Any, **options: Any
) -> Engine:
    """Make an engine whose transactions begin as said; it opens nothing yet."""
    url = URL.create("sqlite", database=str(path))
    engine = create_engine(
        url,
        poolclass=pool,
        connect_args={"check_same_thread": False, "cached_statements": 256},
        **options,
    )

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # the driver shall begin nothing itself
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine
