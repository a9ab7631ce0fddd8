"""The folder in which the processes of one server keep what they count.

prometheus_client makes a file for each process there, whose numbers outlive it; so
whichever process is asked for the metrics tells what all of them have counted.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Self

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"  # prometheus_client reads it
PREFIX = "sluice-counts-"


class CountsFolder:
    """A folder that goes with the last process of its server.

    The lock on it is passed on by every fork, so it is free exactly when nobody
    counts there any more.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        fcntl.flock(self._lock, fcntl.LOCK_SH)
        os.environ[VARIABLE] = str(path)

    @classmethod
    def make(cls, parent: str | None = None) -> Self:
        """Begin to count, from 0; in the master, before it forks.

        Args:
            parent: where to make it; by default, where temporary files are.
        """
        parent = parent or tempfile.gettempdir()
        for each in Path(parent).glob(f"{PREFIX}*"):
            _remove_unused(each)
        return cls(Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent)))

    @classmethod
    def inherit(cls) -> Self:
        """Go on counting where the master before did that started this one."""
        return cls(Path(os.environ[VARIABLE]))

    @property
    def legacy(self) -> Mapping[str, str]:
        """What the environment of the next master must hold."""
        return {VARIABLE: str(self.path)}

    def bury(self, pid: int) -> None:
        """Forget how a process was that has ended; what it counted stays."""
        for each in self.path.glob(f"gauge_live*_{pid}.db"):
            each.unlink(missing_ok=True)

    def close(self) -> None:
        """Remove it, unless somebody else still counts there."""
        os.close(self._lock)
        _remove_unused(self.path)


def _remove_unused(path: Path) -> None:
    with suppress(OSError):  # in use, somebody else's, or gone
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path)
        finally:
            os.close(handle)
