"""How a process shows that it lives, and sees that another has died."""

import fcntl
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from app.domain.errors import StoreUnavailable
from app.domain.process import Process
from app.store.protocol import Processes


class Ownership(Protocol):
    """This process's right to own executions."""

    @property
    def id(self) -> str:
        """The name that its executions carry."""
        ...

    def acquire(self) -> None:
        """Enter the books, before the first row carries this owner.

        Raises:
            StoreUnavailable: nobody could see that it lives.
        """

    def keep(self) -> bool:
        """Show that it still lives; False: it counts as dead, and owns nothing more.

        Raises:
            StoreUnavailable: nobody could be told.
        """
        ...

    @property
    def is_sure(self) -> bool:
        """Whether nobody can have taken it for dead yet."""
        ...

    def dead(self) -> Sequence[str]:
        """Return the processes that have died and are in the books."""
        ...

    def forget(self, dead: str) -> None:
        """Take a process that has died out of the books."""

    def resign(self) -> None:
        """Let others take what is left; the last thing that needs the store."""

    def release(self) -> None:
        """Let go of what the process holds itself, as dying would."""


class FileOwnership:
    """An exclusive lock on a file named after the process.

    The kernel lets go of it when the process dies, so one is dead exactly when its
    lock can be taken.

    Args:
        folder: of the lock files; on one machine, shared by all processes.
        process: this one.
        books: where all are listed.
    """

    is_sure = True

    def __init__(self, folder: Path, process: Process, books: Processes) -> None:
        self._folder, self._process, self._books = folder, process, books
        self._handle: int | None = None

    @property
    def id(self) -> str:
        return self._process.id

    def acquire(self) -> None:
        try:
            self._lock()
        except OSError as error:
            raise StoreUnavailable(
                f"the data directory cannot be used: {error}"
            ) from error
        self._books.add(self._process)

    def keep(self) -> bool:
        return True

    def dead(self) -> Sequence[str]:
        return [each for each in self._books.others(self.id) if self._is_dead(each)]

    def forget(self, dead: str) -> None:
        self._books.remove(dead)
        self._path(dead).unlink(missing_ok=True)

    def resign(self) -> None:
        """Stay in the books: what a straggler records is found with the rest."""

    def release(self) -> None:
        if self._handle is not None:
            self._path(self.id).unlink(missing_ok=True)
            os.close(self._handle)
            self._handle = None

    def _lock(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        self._handle = os.open(self._path(self.id), flags, 0o600)
        fcntl.flock(self._handle, fcntl.LOCK_EX)

    def _is_dead(self, other: str) -> bool:
        return _is_free(self._path(other))

    def _path(self, process: str) -> Path:
        return self._folder / f"{process}.lock"


def census(folder: Path) -> Mapping[str, bool]:
    """Tell of each process that has a lock file whether it lives.

    Who ends as planned takes its file along.
    """
    files = sorted(folder.glob("*.lock"))
    return {each.stem: not _is_free(each) for each in files}


def _is_free(lock: Path) -> bool:
    """Tell whether a lock can be taken: nobody alive holds it."""
    try:
        handle = os.open(lock, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(handle)
    return True
