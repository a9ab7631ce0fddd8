"""SQLite: a file, and the pragmas that make it keep its promises."""

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
    create_engine,
    event,
    text,
)
from sqlalchemy.exc import DatabaseError

from app.domain.errors import StoreUnavailable
from app.security.vault import Vault
from app.store.sql import migrate, plain_tokens
from app.store.sql.database import READER_WAIT, WriteConnection
from app.store.sql.locks import FileLock

T = TypeVar("T")
READERS = 40  # connections: more than there are request threads and workers

BESIDE = ("", "-wal", "-shm", ".lock")  # what the names of its files end with

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
    "cache_size = -4096",  # KiB; more hardly helps a large store
)
READING = (*COMMON, "query_only = ON", "cache_size = -2048")


class Sqlite:
    """`Database` in a file; its folder is made if it is missing.

    Args:
        path: the file.
        lock_path: the file on which processes take turns to write; beside the
            database by default.
    """

    def __init__(self, path: Path, lock_path: Path | None = None) -> None:
        self._path = path
        self.connection = FileConnection(path)
        self.turn = FileLock(lock_path or path.with_name(f"{path.name}.lock"))

    def readers(self) -> Engine:
        return _engine(
            self._path,
            READING,
            begin="BEGIN",
            pool=QueuePool,
            pool_size=READERS,
            max_overflow=0,
            pool_timeout=READER_WAIT,
        )

    def prepare(self, vault: Vault | None) -> None:
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self.turn.held():
                self.connection.create()
                self.connection.transact(migrate.upgrade)
                if vault is not None:
                    plain_tokens.seal(self.connection, vault)
        except OSError as error:
            raise StoreUnavailable(
                f"the database's folder cannot be used: {error}"
            ) from error

    def maintain(self) -> None:
        """There is nothing to do."""

    def files(self) -> Sequence[Path]:
        beside = (self._path.with_name(self._path.name + each) for each in BESIDE)
        return [each for each in beside if each.exists()]

    def exists(self) -> bool:
        return self._path.exists()

    def integrity(self) -> Executable:
        return text(
            "SELECT quick_check AS fault FROM pragma_quick_check(20)"
            " WHERE quick_check <> 'ok'"
        )


class FileConnection(WriteConnection):
    """The one connection that changes the file; for one thread."""

    def __init__(self, path: Path) -> None:
        super().__init__(_engine(path, WRITING, begin="BEGIN IMMEDIATE", pool=NullPool))
        self._path = path
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
        self._check_file()
        return super().transact(work)

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

    def _open(self) -> Connection:
        if self._connection is None:
            super()._open()
            self._file = _file_at(self._path)
        return super()._open()

    def _check_file(self) -> None:
        """Refuse to write into a file that nobody would find again."""
        found = _file_at(self._path)
        if self._file is None or found == self._file:
            return
        self.close()
        if found is None:
            raise StoreUnavailable("the database file was deleted; put it back")


def _file_at(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


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
