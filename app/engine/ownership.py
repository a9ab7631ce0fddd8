"""A file lock that says whether a process lives; the kernel lets go when it dies."""

import fcntl
import os
from pathlib import Path

from app.domain import ids


class Ownership:
    """This process's exclusive lock on a file of its own, named after its id."""

    def __init__(self, folder: Path) -> None:
        self.id = ids.new("proc")
        self._folder = folder
        self._handle: int | None = None

    def acquire(self) -> None:
        """Take the lock; before the first row carries this owner."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._handle = _open(self._path(self.id))
        fcntl.flock(self._handle, fcntl.LOCK_EX)

    def release(self) -> None:
        """Let go, as dying would; the file goes too."""
        if self._handle is not None:
            self._path(self.id).unlink(missing_ok=True)
            os.close(self._handle)
            self._handle = None

    def is_dead(self, other: str) -> bool:
        """Tell whether the process with this id has ended: its lock can be taken."""
        try:
            handle = os.open(self._path(other), os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return True
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            os.close(handle)
        return True

    def forget(self, other: str) -> None:
        """Remove the file of a process that has ended."""
        self._path(other).unlink(missing_ok=True)

    def _path(self, process: str) -> Path:
        return self._folder / f"{process}.lock"


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
