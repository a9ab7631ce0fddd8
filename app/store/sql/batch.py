"""How many tasks become one transaction in which each can fail alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DataError, IntegrityError

from app.domain.errors import Conflict, Invalid
from app.store.sql.database import is_outage
from app.store.sql.tasks import Task, arrange
from app.store.sql.tenancy import NOBODY, among, limit


@dataclass(frozen=True, slots=True)
class Answer:
    """What a task came to; told only after the commit."""

    task: Task
    value: Any = None
    error: Exception | None = None

    def tell(self) -> None:
        """Let the waiter go on."""
        if self.error is None:
            self.task.future.set_result(self.value)
        else:
            self.task.future.set_exception(self.error)


def together(connection: Connection, tasks: Sequence[Task]) -> Sequence[Answer]:
    """Carry out tasks, those of a kind at once.

    Raises:
        Exception: at least one failed; it is not known which, and nothing may stay.
    """
    answers: list[Answer] = []
    of = NOBODY
    for kind, members in arrange(tasks):
        wanted = among(each.of for each in members)
        if wanted != of:
            limit(connection, wanted)
            of = wanted
        values = kind.apply(connection, [each.member for each in members])
        answers += map(_answer, members, values)
    return answers


def one_by_one(connection: Connection, tasks: Sequence[Task]) -> Sequence[Answer]:
    """Carry out each task under a savepoint of its own, so that it can fail alone.

    Raises:
        DatabaseError: the database itself failed, and nothing may stay.
    """
    return [_alone(connection, each) for each in tasks]


def _alone(connection: Connection, task: Task) -> Answer:
    savepoint = connection.begin_nested()
    try:
        limit(connection, task.of)
        [value] = task.kind.apply(connection, [task.member])
    except Exception as error:
        if is_outage(error):
            raise
        savepoint.rollback()
        return Answer(task, error=_ours(error))
    savepoint.commit()
    return _answer(task, value)


def _answer(task: Task, value: Any) -> Answer:
    """Tell what a kind answers from what it refuses without taking others along."""
    if isinstance(value, Exception):
        return Answer(task, error=value)
    return Answer(task, value)


def _ours(error: Exception) -> Exception:
    """Translate what the database says about a change that nobody foresaw."""
    ours: Exception
    match error:
        case UnicodeEncodeError():
            ours = Invalid("a text holds half of a surrogate pair; leave it out")
        case DataError():
            ours = Invalid("a text holds U+0000, or a number is too large")
        case IntegrityError():
            ours = Conflict("the change collides with what is stored")
        case _:
            return error
    ours.__cause__ = error
    return ours
