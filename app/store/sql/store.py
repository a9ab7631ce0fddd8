"""All collections of the store in one SQL database."""

import time
from pathlib import Path

from sqlalchemy import Connection

from app.security.vault import Vault
from app.store.protocol import Load, Note
from app.store.sql import databases
from app.store.sql.accounts import SqlAccounts
from app.store.sql.api_keys import SqlApiKeys
from app.store.sql.audit import Noting, SqlAudit
from app.store.sql.credentials import SqlCredentials
from app.store.sql.database import Reader
from app.store.sql.dedupe import SqlDedupe
from app.store.sql.executions import SqlExecutions
from app.store.sql.grants import SqlGrants
from app.store.sql.invitations import SqlInvitations
from app.store.sql.ledger import SqlLedger
from app.store.sql.members import SqlMembers
from app.store.sql.processes import SqlProcesses
from app.store.sql.sealings import SqlSealings
from app.store.sql.sessions import SqlSessions
from app.store.sql.tables import probe
from app.store.sql.tenancy import ALL
from app.store.sql.tries import SqlTries
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
        self.tries = SqlTries(reader, writer)
        self.api_keys = SqlApiKeys(reader, writer)
        self.workflows = SqlWorkflows(reader, writer)
        self.credentials = SqlCredentials(reader, writer)
        self.grants = SqlGrants(reader, writer)
        self.sealings = SqlSealings(reader, writer)
        self.executions = SqlExecutions(reader, writer)
        self.dedupe = SqlDedupe(writer)
        self.ledger = SqlLedger(reader, writer)
        self.audit = SqlAudit(reader, writer)
        self.processes = SqlProcesses(reader, writer)


class SqlStore(SqlCollections):
    """`Store` in an SQLite file or a PostgreSQL database that processes may share.

    Making one opens nothing; `start` opens the database and must come after the fork.

    Args:
        url: like ``sqlite:///data/sluice.db`` or ``postgresql://user@host/sluice``.
        lock_path: the file on which processes take turns to write into a file; beside
            it by default.
        vault: seals the webhook tokens that the first release kept in plain; without
            one they stay as they are.
        watch: is told of every commit.

    Raises:
        ValueError: the URL names no database.
    """

    def __init__(
        self,
        url: str,
        *,
        lock_path: Path | None = None,
        vault: Vault | None = None,
        watch: Watch | None = None,
    ) -> None:
        self._database = databases.at(url, lock_path=lock_path)
        self._vault = vault
        self._reader = Reader(self._database.readers())
        self._writer = Writer(
            self._database.connection, self._database.turn, watch=watch
        )
        super().__init__(self._reader, self._writer)

    def noting(self, note: Note) -> SqlCollections:
        return SqlCollections(self._reader, Noting(self._writer, note))

    def prepare(self) -> None:
        try:
            self._database.prepare(self._vault)
        finally:
            self._database.connection.close()  # the writer's thread opens its own
            self._database.turn.close()

    def start(self) -> None:
        self.prepare()
        self._reader.open()
        self._writer.start()

    def check(self) -> None:
        now = time.time_ns() // 1_000_000
        mark = insert_or_replace(probe).values(id=1, at=now)

        def change(connection: Connection) -> None:
            connection.execute(mark)

        self._writer.run(change, of=ALL)

    def maintain(self) -> None:
        self._database.maintain()

    def load(self) -> Load:
        return Load(waiting=self._writer.waiting(), readers=self._reader.busy())

    def close(self) -> None:
        self._writer.close()
        self._reader.close()
