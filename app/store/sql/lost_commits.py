"""Writing to a server that may be restarted between any two statements."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from psycopg.pq import TransactionStatus
from sqlalchemy import Connection, text
from sqlalchemy.exc import DatabaseError

from app.domain.errors import OutcomeUnknown, StoreUnavailable
from app.store.sql.database import WriteConnection

log = logging.getLogger(__name__)
T = TypeVar("T")
TRIES = 3  # of a transaction of which certainly nothing was kept
PATIENCE = 5.0  # seconds to find out whether a commit took place
PAUSE = 0.1  # seconds between two looks
COLLISIONS = frozenset({"40001", "40P01"})  # with another writer; nobody's mistake
TRANSACTION = text("SELECT pg_current_xact_id()::text")
STATUS = text("SELECT pg_xact_status(CAST(:transaction AS xid8))")


class ServerConnection(WriteConnection):
    """The one connection of a process that changes the database; for one thread.

    When the connection is lost while a commit is under way, the server is asked
    afterwards what became of it.
    """

    def transact(self, work: Callable[[Connection], T]) -> T:
        for _ in range(TRIES - 1):
            try:
                return self._settled(work)
            except StoreUnavailable as error:
                if not _kept_nothing(error.__cause__):
                    raise
        return self._settled(work)

    def _settled(self, work: Callable[[Connection], T]) -> T:
        done: list[tuple[str, T]] = []

        def stamped(connection: Connection) -> T:
            transaction = connection.execute(TRANSACTION).scalar_one()
            done.append((transaction, work(connection)))
            _require_unbroken(connection)
            return done[0][1]

        try:
            return super().transact(stamped)
        except StoreUnavailable as error:
            if not (done and _is_lost_commit(error.__cause__)):
                raise
            transaction, value = done[0]
            status = self._became_of(transaction)
            if status == "committed":
                return value
            if status == "aborted":
                raise
            raise OutcomeUnknown(f"{error}; whether it was kept is unknown") from error

    def _became_of(self, transaction: str) -> str | None:
        """Ask for a transaction's end until it has one; None: nobody could say."""
        ask = STATUS.bindparams(transaction=transaction)
        until, status = time.monotonic() + PATIENCE, None
        while status in {None, "in progress"} and time.monotonic() < until:
            threading.Event().wait(PAUSE)
            try:
                status = super().transact(lambda c: c.execute(ask).scalar())
            except StoreUnavailable:
                status = None
        log.warning("A commit was cut off", extra={"status": status or "unknown"})
        return status


def _require_unbroken(connection: Connection) -> None:
    """Refuse to commit what the server would roll back without a word."""
    driver: Any = connection.connection.driver_connection
    if driver.info.transaction_status is not TransactionStatus.INTRANS:
        raise StoreUnavailable("the transaction had failed before its end")


def _is_lost_commit(error: BaseException | None) -> bool:
    """Tell whether the connection was lost while no statement was under way."""
    return (
        isinstance(error, DatabaseError)
        and error.connection_invalidated
        and error.statement is None
    )


def _kept_nothing(error: BaseException | None) -> bool:
    """Tell whether to begin again: it collided, or the connection was a dead one."""
    if not isinstance(error, DatabaseError):
        return False
    is_dead = error.connection_invalidated and str(error.statement).startswith("BEGIN")
    return is_dead or getattr(error.orig, "sqlstate", None) in COLLISIONS
