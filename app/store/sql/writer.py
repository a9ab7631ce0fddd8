"""The one thread that writes, and how it commits in groups."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, Protocol, TypeVar, cast

from sqlalchemy import Connection

from app.domain.errors import OutcomeUnknown, StoreUnavailable
from app.store.sql.batch import Answer, one_by_one, together
from app.store.sql.database import Turn, WriteConnection
from app.store.sql.tasks import Kind, Once, Task

log = logging.getLogger(__name__)
T = TypeVar("T")

BATCH = 128  # tasks of one transaction, at most
PATIENCE = 0.005  # seconds that a patient task waits for another to go with it
LINGER = 0.002  # seconds in which more may come, under load
MANY = 8  # tasks of a batch that tell of load; one event makes three


class Watch(Protocol):
    """Whoever counts commits; called by the writer's thread."""

    def committed(
        self, changes: int, seconds: float, contexts: Sequence[str]
    ) -> None: ...
    def commit_failed(self) -> None: ...


class Writes(Protocol):
    """What a collection needs to make its changes."""

    def put(
        self,
        kind: Kind,
        subject: str,
        member: Any,
        *,
        of: str,
        is_patient: bool = False,
    ) -> "Future[Any]": ...

    def run(self, change: Callable[[Connection], T], *, of: str) -> T: ...


class Writer:
    """Commits whatever waits as one transaction, again and again.

    A task that fails takes no other along, and a future is done only once its
    transaction is durable.

    Args:
        connection: used by the writer's thread alone.
        turn: had during each transaction, so that processes take turns.
        room: how many tasks may wait.
        patience: seconds that `run` waits for its commit, and `close` for the rest.
        watch: is told of every commit.
    """

    def __init__(
        self,
        connection: WriteConnection,
        turn: Turn,
        *,
        room: int = 10_000,
        patience: float = 10.0,
        watch: Watch | None = None,
    ) -> None:
        self._connection = connection
        self._turn = turn
        self._room = room
        self._patience = patience
        self._watch = watch
        self._tasks: deque[Task] = deque()
        self._urgent = 0  # tasks that wait and are not patient
        self._changed = threading.Condition()
        self._is_open = False
        self._thread = threading.Thread(target=self._work, name="writer", daemon=True)

    def start(self) -> None:
        """Begin to write; once."""
        self._is_open = True
        self._thread.start()

    def put(
        self,
        kind: Kind,
        subject: str,
        member: Any,
        *,
        of: str,
        is_patient: bool = False,
    ) -> "Future[Any]":
        """Hand over a change about a subject; the future has its answer.

        It sees only the rows `of` these tenants. One that is patient waits a moment
        for another, whose transaction it shares.

        Raises:
            StoreUnavailable: the store is not open, or too much waits.
        """
        task = Task(kind, subject, member, of, is_patient)
        with self._changed:
            if not self._is_open:
                raise StoreUnavailable("the store is not open")
            if len(self._tasks) >= self._room:
                raise StoreUnavailable(
                    f"{self._room} changes wait to be written; try again later"
                )
            self._tasks.append(task)
            self._urgent += not is_patient
            if not is_patient or len(self._tasks) == 1:
                self._changed.notify()
        return task.future

    def run(self, change: Callable[[Connection], T], *, of: str) -> T:
        """Make a change and wait until it is durable.

        It sees only the rows `of` these tenants.

        Raises:
            StoreUnavailable: it could not be committed, or not in time.
            OutcomeUnknown: not in time either, but it had begun and may be yet.
            RuntimeError: called by a callback of the writer, which would wait for
                itself.
        """
        if threading.current_thread() is self._thread:
            raise RuntimeError("a callback of the writer must not wait for the writer")
        future = self.put(Once(change), "", None, of=of)
        try:
            return cast("T", future.result(timeout=self._patience))
        except TimeoutError as error:
            late = f"the database did not commit within {self._patience:g} s"
            if future.cancel():
                raise StoreUnavailable(late) from error
            raise OutcomeUnknown(f"{late}, and may still do so") from error

    def waiting(self) -> int:
        """Count the changes that are not being written yet."""
        return len(self._tasks)

    def close(self) -> None:
        """Carry out what waits, then stop; again is no error."""
        with self._changed:
            self._is_open = False
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join(self._patience)
        if self._thread.is_alive():
            log.error("Writer did not stop", extra={"waiting": len(self._tasks)})

    def _work(self) -> None:
        while tasks := self._take():
            # from here on nobody can cancel them any more
            begun = [
                each for each in tasks if each.future.set_running_or_notify_cancel()
            ]
            for answer in self._commit(begun):
                answer.tell()
            if len(tasks) >= MANY:
                time.sleep(LINGER)  # a commit costs hardly more for many than for one
        self._connection.close()
        self._turn.close()

    def _take(self) -> Sequence[Task]:
        """Wait for tasks; none means that there will be no more."""
        with self._changed:
            while self._is_open and not self._tasks:
                self._changed.wait()
            if self._is_open and not self._urgent:
                self._changed.wait(PATIENCE)
            size = min(len(self._tasks), BATCH)
            taken = [self._tasks.popleft() for _ in range(size)]
            self._urgent -= sum(not each.is_patient for each in taken)
            return taken

    def _commit(self, tasks: Sequence[Task]) -> Sequence[Answer]:
        """Commit tasks and return their answers; never raises."""
        if not tasks:
            return []
        began = time.monotonic()
        try:
            with self._turn.held():
                answers = self._carry_out(tasks)
        except StoreUnavailable as error:
            log.error("Changes not committed", extra={"error": str(error)})  # noqa: TRY400
            return self._lost(tasks, error)
        except Exception:
            log.exception("Changes not committed")
            return self._lost(tasks, StoreUnavailable("the change was not committed"))
        if self._watch:
            contexts = [each.trace for each in tasks if each.trace]
            self._watch.committed(len(tasks), time.monotonic() - began, contexts)
        return answers

    def _carry_out(self, tasks: Sequence[Task]) -> Sequence[Answer]:
        try:
            return self._connection.transact(lambda c: together(c, tasks))
        except StoreUnavailable:
            raise
        except Exception:  # noqa: BLE001 - the second round finds out whose it is
            return self._connection.transact(lambda c: one_by_one(c, tasks))

    def _lost(self, tasks: Sequence[Task], error: StoreUnavailable) -> Sequence[Answer]:
        """Answer all tasks with an error, each with its own."""
        if self._watch:
            self._watch.commit_failed()
        return [Answer(each, error=type(error)(str(error))) for each in tasks]
