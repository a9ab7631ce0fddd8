"""All collections of the store in one SQL database."""

import time
from pathlib import Path

from sqlalchemy import Connection

from app.domain.errors import StoreUnavailable
from app.security.vault import Vault
from app.store.protocol import Load, Note
from app.store.sql import migrate, plain_tokens
from app.store.sql.accounts import SqlAccounts
from app.store.sql.api_keys import SqlApiKeys
from app.store.sql.audit import Noting, SqlAudit
from app.store.sql.credentials import SqlCredentials
from app.store.sql.database import Reader, WriteConnection, path_of
from app.store.sql.dedupe import SqlDedupe
from app.store.sql.executions import SqlExecutions
from app.store.sql.invitations import SqlInvitations
from app.store.sql.ledger import SqlLedger
from app.store.sql.locks import FileLock
from app.store.sql.members import SqlMembers
from app.store.sql.processes import SqlProcesses
from app.store.sql.sessions import SqlSessions
from app.store.sql.tables import probe
from app.store.sql.upserts import insert_or_replace
from app.store.sql.workflows import SqlWorkflows
from app.store.sql.writer import Watch, Writer, Writes


class SqlCollections:
    """`Collections` in the tables of one database."""

    def __init__(self, reader: Reader, writer: Writes) -> None:
        self.accounts = SqlAccounts(reader, writer)
        self.members = SqlMembers(reader, writer)
        self.invitations = SqlInvitations(reader, writer)
        self.sessions = SqlSessions(reader, writer)
        self.api_keys = SqlApiKeys(reader, writer)
        self.workflows = SqlWorkflows(reader, writer)
        self.credentials = SqlCredentials(reader, writer)
        self.executions = SqlExecutions(reader, writer)
        self.dedupe = SqlDedupe(writer)
        self.ledger = SqlLedger(reader, writer)
        self.audit = SqlAudit(reader, writer)
        self.processes = SqlProcesses(reader, writer)


class SqlStore(SqlCollections):
    """`Store` in an SQLite file that several processes may share.

    Making one opens nothing; `start` opens the file and must come after the fork.

    Args:
        url: like ``sqlite:///data/sluice.db``; the folder is made if it is missing.
        lock_path: the file on which processes take turns to write; beside the
            database by default.
        vault: seals the webhook tokens that the first release kept in plain; without
            one they stay as they are.
        watch: is told of every commit.

    Raises:
        ValueError: the URL does not name a file of SQLite.
    """

    def __init__(
        self,
        url: str,
        *,
        lock_path: Path | None = None,
        vault: Vault | None = None,
        watch: Watch | None = None,
    ) -> None:
        self._path = path_of(url)
        self._vault = vault
        self._lock = FileLock(
            lock_path or self._path.with_name(f"{self._path.name}.lock")
        )
        self._connection = WriteConnection(self._path)
        self._reader = Reader(self._path)
        self._writer = Writer(self._connection, self._lock, watch=watch)
        super().__init__(self._reader, self._writer)

    def noting(self, note: Note) -> SqlCollections:
        return SqlCollections(self._reader, Noting(self._writer, note))

    def start(self) -> None:
        try:
            self._prepare()
        except OSError as error:
            raise StoreUnavailable(
                f"the database's folder cannot be used: {error}"
            ) from error
        finally:
            self._connection.close()  # the writer's thread opens its own
            self._lock.close()
        self._reader.open()
        self._writer.start()

    def check(self) -> None:
        now = time.time_ns() // 1_000_000
        mark = insert_or_replace(probe).values(id=1, at=now)

        def change(connection: Connection) -> None:
            connection.execute(mark)

        self._writer.run(change)

    def load(self) -> Load:
        return Load(waiting=self._writer.waiting(), readers=self._reader.busy())

    def close(self) -> None:
        self._writer.close()
        self._reader.close()

    def _prepare(self) -> None:
        """Make the file and its tables, while every other process waits."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._lock.held():
            self._connection.create()
            self._connection.transact(migrate.upgrade)
            if self._vault is not None:
                plain_tokens.seal(self._connection, self._vault)
