"""PostgreSQL: a server that several machines share, and that may be restarted."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from psycopg import sql
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
from sqlalchemy.exc import ProgrammingError

from app.domain import times
from app.domain.errors import StoreUnavailable
from app.security.vault import Vault
from app.store.sql import migrate, partitions, tenancy, walls
from app.store.sql.database import READER_WAIT, TENANTS
from app.store.sql.lost_commits import ServerConnection
from app.store.sql.settling import settle

log = logging.getLogger(__name__)
READERS, SPARE = 8, 8  # connections that stay, and that come when there is need
FORBIDDEN = "42501"  # what the server says of a right that is missing
MIGRATING = 0x51_01CE  # the advisory lock of whoever changes the tables
REACH = {
    "connect_timeout": "5",  # seconds; as is all that is not said to be otherwise
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "15000",  # milliseconds
    "application_name": "sluice",
}
SESSION = (
    "SET statement_timeout = '10s'",
    "SET lock_timeout = '5s'",
    "SET idle_in_transaction_session_timeout = '10s'",
)
# What is acknowledged is on the disk; a replica's guarantee on top may stay.
DURABLE = (
    "SELECT set_config('synchronous_commit', 'on', false)"
    " WHERE current_setting('synchronous_commit') IN ('off', 'local')"
)


class Postgresql:
    """`Database` on a server.

    Args:
        url: like ``postgresql://user@host:5432/sluice``; what it says about the
            connection (``?sslmode=verify-full``) wins.
    """

    def __init__(self, url: URL) -> None:
        self._url = url.set(drivername="postgresql+psycopg")
        self.connection = ServerConnection(self._engine("BEGIN", poolclass=NullPool))
        self.turn = NoTurn()

    def readers(self) -> Engine:
        return self._engine(
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            poolclass=QueuePool,
            pool_size=READERS,
            max_overflow=SPARE,
            pool_timeout=READER_WAIT,
        )

    def prepare(self, vault: Vault | None) -> None:
        del vault  # there was no PostgreSQL when tokens were kept in plain
        try:
            self.connection.transact(_upgrade)
        except ProgrammingError as error:
            if getattr(error.orig, "sqlstate", None) != FORBIDDEN:
                raise
            raise StoreUnavailable(
                "the tables are of an older release, and this role may not change them;"
                " run `python -m app migrate` with DATABASE_URL of their owner"
            ) from error
        self.maintain()

    def maintain(self) -> None:
        now = times.now()
        until = now + partitions.AHEAD
        beside = ServerConnection(self._engine("BEGIN", poolclass=NullPool))
        try:
            made = beside.transact(lambda c: partitions.make(c, now, until))
        finally:
            beside.close()
        if made:
            log.info("Partitions made", extra={"count": made})

    def files(self) -> Sequence[Path]:
        return ()

    def exists(self) -> bool:
        return True

    def integrity(self) -> Executable:
        """Ask what the server itself has noticed; it reads nothing anew."""
        return text(
            "SELECT checksum_failures || ' pages with a wrong checksum' AS fault"
            " FROM pg_stat_database"
            " WHERE datname = current_database() AND checksum_failures > 0"
        )

    def _engine(self, begin: str, **options: Any) -> Engine:
        """Make an engine whose transactions begin as said; it opens nothing yet."""
        reach = {name: REACH[name] for name in REACH if name not in self._url.query}
        engine = create_engine(
            self._url,
            connect_args=reach,
            use_native_hstore=False,
            execution_options={"preserve_rowcount": True},  # also of an insert
            **options,
        )
        event.listen(engine, "connect", self._connected)

        @event.listens_for(engine, "begin")
        def begun(connection: Connection) -> None:
            connection.exec_driver_sql(_begin(connection, begin))

        return engine

    def _connected(self, connection: Any, _: Any) -> None:
        connection.autocommit = True  # the driver shall begin nothing itself
        chosen = "synchronous_commit" in str(self._url.query.get("options", ""))
        statements = SESSION if chosen else (*SESSION, DURABLE)
        connection.execute("; ".join(statements))


class NoTurn:
    """`Turn` where the server itself sees to it that writers do not collide."""

    @contextmanager
    def held(self) -> Iterator[None]:
        yield

    def close(self) -> None:
        """Nothing is kept."""


def _upgrade(connection: Connection) -> None:
    """Change the tables, one process after the other."""
    connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
    connection.exec_driver_sql("SET LOCAL lock_timeout = 0")
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATING})")
    connection.exec_driver_sql("SET LOCAL lock_timeout = '10s'")
    tenancy.limit(connection, tenancy.ALL)
    if migrate.upgrade(connection):
        settle(connection)
    if walls.is_passed_by(connection):
        log.warning("Row-level security does not hold for this role")


def _begin(connection: Connection, begin: str) -> str:
    """Begin, and say in the same breath whose rows are to be seen."""
    of = connection.get_execution_options().get(TENANTS)
    if of is None:
        return begin
    named = sql.Literal(of).as_string(None).replace("%", "%%")
    return f"{begin}; SET LOCAL app.tenant = {named}"
