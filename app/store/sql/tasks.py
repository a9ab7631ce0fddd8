"""What waits for the writer, and how it is put in order."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlalchemy import Connection


class Short(Exception):
    """Of several members of a kind, some would not have changed anything."""


class Kind(Protocol):
    """One kind of change, done for several members at once."""

    @property
    def rank(self) -> int | None:
        """Its turn among changes of one execution; None: it goes alone, in its turn."""
        ...

    def apply(self, connection: Connection, members: Sequence[Any]) -> Sequence[Any]:
        """Do it for all members and return their answers, in order.

        An answer that is an exception is that member's alone.

        Raises:
            Short: there are several, and not all hold; the caller undoes it and
                asks for each by itself.
            Exception: the answer of a single member.
        """
        ...


@dataclass(frozen=True, slots=True)
class Once:
    """A change that has nothing to share with others."""

    change: Callable[[Connection], Any]
    rank: None = None

    def apply(self, connection: Connection, members: Sequence[Any]) -> Sequence[Any]:
        return [self.change(connection) for _ in members]


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """One member of a kind, about one execution, and who waits for it."""

    kind: Kind
    subject: str = ""  # the execution's id
    member: Any = None
    of: str = ""  # whose rows it may see
    is_patient: bool = False  # whether it may wait for others to share a commit with
    future: "Future[Any]" = field(default_factory=Future)

    @property
    def trace(self) -> str | None:
        """The trace that it is for, if it begins something in one."""
        trace: str | None = getattr(self.member, "trace", None)
        return trace


Group = tuple[Kind, list[Task]]


def arrange(tasks: Iterable[Task]) -> Iterator[Group]:
    """Put tasks of one kind together.

    Tasks about one execution stay in order, and every task stays on its side of one
    that goes alone.
    """
    phase = _Phase()
    for task in tasks:
        if not phase.takes(task):
            yield from phase.groups()
            phase = _Phase()
        phase.add(task)
    yield from phase.groups()


class _Phase:
    """Tasks whose kinds can be done one after the other, in the order of rank."""

    def __init__(self) -> None:
        self._groups: dict[Kind, list[Task]] = {}
        self._reached: dict[str, int] = {}  # highest rank, by execution
        self._is_alone = False

    def takes(self, task: Task) -> bool:
        if task.kind.rank is None:
            return not self._groups
        return not self._is_alone and (
            self._reached.get(task.subject, -1) <= task.kind.rank
        )

    def add(self, task: Task) -> None:
        self._groups.setdefault(task.kind, []).append(task)
        if task.kind.rank is None:
            self._is_alone = True
        else:
            self._reached[task.subject] = task.kind.rank

    def groups(self) -> Sequence[Group]:
        return sorted(self._groups.items(), key=lambda each: each[0].rank or 0)
