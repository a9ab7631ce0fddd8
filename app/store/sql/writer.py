"""The one thread that writes, and how it commits in groups."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from sqlalchemy import Connection

from app.domain.errors import Invalid, StoreUnavailable
from app.store.sql.database import WriteConnection, is_outage
from app.store.sql.locks import FileLock
from app.store.sql.tasks import Kind, Once, Task, arrange

log = logging.getLogger(__name__)
T = TypeVar("T")

BATCH = 128  # tasks of one transaction
ROOM = 10_000  # tasks that may wait
PATIENCE = 10.0  # seconds that a caller waits for a commit


@dataclass(frozen=True, slots=True)
class Answer:
    """What one task came to; told only after the commit."""

    value: Any = None
    error: Exception | None = None


Answered = tuple[Task, Answer]


class Writer:
    """Commits whatever waits as one transaction, again and again.

    A task that fails takes no other along, and a future is done only once its
    transaction is durable.
    """

    def __init__(self, connection: WriteConnection, lock: FileLock) -> None:
        self._connection = connection
        self._lock = lock
        self._tasks: deque[Task] = deque()
        self._changed = threading.Condition()
        self._is_open = False
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)

    def start(self) -> None:
        """Begin to write; once."""
        self._is_open = True
        self._thread.start()

    def put(self, kind: Kind, subject: str, member: Any) -> "Future[Any]":
        """Hand over a change; the future has its answer.

        Raises:
            StoreUnavailable: the store is closed, or too much waits.
        """
        task = Task(kind, subject, member)
        with self._changed:
            if not self._is_open:
                raise StoreUnavailable("the store is not open")
            if len(self._tasks) >= ROOM:
                raise StoreUnavailable(f"{ROOM} changes wait to be written already")
            self._tasks.append(task)
            self._changed.notify()
        return task.future

    def run(self, change: Callable[[Connection], T]) -> T:
        """Make a change and wait until it is durable.

        Raises:
            StoreUnavailable: it could not be committed, or not in time.
        """
        if threading.current_thread() is self._thread:
            raise RuntimeError("a callback of the writer must not wait for the writer")
        future = self.put(Once(change), "", None)
        try:
            return cast("T", future.result(timeout=PATIENCE))
        except TimeoutError as error:
            future.cancel()
            raise StoreUnavailable(
                f"the database did not commit within {PATIENCE:g} s"
            ) from error

    def close(self) -> None:
        """Carry out what waits, then stop."""
        with self._changed:
            self._is_open = False
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while tasks := self._take():
            if wanted := [each for each in tasks if _begin(each)]:
                for task, answer in self._commit(wanted):
                    _tell(task, answer)
        self._connection.close()
        self._lock.close()

    def _take(self) -> Sequence[Task]:
        """Wait for tasks; none means that there will be no more."""
        with self._changed:
            while self._is_open and not self._tasks:
                self._changed.wait()
            size = min(len(self._tasks), BATCH)
            return [self._tasks.popleft() for _ in range(size)]

    def _commit(self, tasks: Sequence[Task]) -> Sequence[Answered]:
        try:
            return self._carry_out(tasks)
        except StoreUnavailable as error:
            log.error("Changes not committed", extra={"error": str(error)})  # noqa: TRY400
            return _lost(tasks, str(error))
        except Exception:
            log.exception("Changes not committed")
            return _lost(tasks, "the change was not committed")

    def _carry_out(self, tasks: Sequence[Task]) -> Sequence[Answered]:
        with self._lock.held():
            try:
                return self._connection.transact(lambda c: together(c, tasks))
            except StoreUnavailable:
                raise
            except Exception:  # noqa: BLE001 - whose it is, the second round tells
                return self._connection.transact(lambda c: one_by_one(c, tasks))


def together(connection: Connection, tasks: Sequence[Task]) -> Sequence[Answered]:
    """Carry out tasks of a kind at once.

    Raises:
        Exception: at least one failed, and no answer counts.
    """
    answered: list[Answered] = []
    for kind, members in arrange(tasks):
        values = kind.apply(connection, [each.member for each in members])
        answers = [Answer(value) for value in values]
        answered += zip(members, answers, strict=True)
    return answered


def one_by_one(connection: Connection, tasks: Sequence[Task]) -> Sequence[Answered]:
    """Carry out each task under a savepoint of its own, so that each can fail."""
    return [(each, _alone(connection, each)) for each in tasks]


def _alone(connection: Connection, task: Task) -> Answer:
    savepoint = connection.begin_nested()
    try:
        [value] = task.kind.apply(connection, [task.member])
    except Exception as error:
        if is_outage(error):
            raise
        savepoint.rollback()
        return Answer(error=_named(error))
    savepoint.commit()
    return Answer(value)


def _named(error: Exception) -> Exception:
    if isinstance(error, UnicodeEncodeError):
        return Invalid("a text holds half of a surrogate pair and cannot be stored")
    return error


def _lost(tasks: Sequence[Task], why: str) -> Sequence[Answered]:
    """Answer all tasks with an error, each with its own."""
    return [(each, Answer(error=StoreUnavailable(why))) for each in tasks]


def _begin(task: Task) -> bool:
    """Say that a task begins; False if nobody wants it any more."""
    return task.future.set_running_or_notify_cancel()


def _tell(task: Task, answer: Answer) -> None:
    if answer.error is not None:
        task.future.set_exception(answer.error)
    else:
        task.future.set_result(answer.value)
