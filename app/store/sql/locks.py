"""A lock between processes."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class FileLock:
    """An exclusive `flock` on a file of its own; given up when the process ends.

    SQLite's own busy handler sleeps up to 100 ms between tries; waiting here first
    makes turns fair and short. For one thread at a time.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None  # kept: there may be none left to open

    @contextmanager
    def held(self) -> Iterator[None]:
        """Wait for the lock as long as it takes, and hold it."""
        if self._descriptor is None:
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
            self._descriptor = os.open(self._path, flags, 0o600)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let go of the file; the next `held` opens it again."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
