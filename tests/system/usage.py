"""What processes use: memory, threads, descriptors."""

import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Self

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Usage:
    """The most, or the current value, over some processes."""

    memory: int = 0  # resident, KiB
    threads: int = 0
    descriptors: int = 0

    def most(self, other: "Usage") -> "Usage":
        return Usage(
            max(self.memory, other.memory),
            max(self.threads, other.threads),
            max(self.descriptors, other.descriptors),
        )

    def __str__(self) -> str:
        return (
            f"{self.memory / 1024:.0f} MiB, {self.threads} threads, "
            f"{self.descriptors} descriptors"
        )


def now(pid: int) -> Usage:
    """Read one process."""
    fields = dict(
        line.split(":", 1)
        for line in Path(f"/proc/{pid}/status").read_text().splitlines()
    )
    return Usage(
        memory=int(fields["VmRSS"].split()[0]),
        threads=int(fields["Threads"]),
        descriptors=len(list(Path(f"/proc/{pid}/fd").iterdir())),
    )


def cpu(pid: int) -> float:
    """Return the seconds of processor time that one process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


class Watch:
    """Looks at one process twenty times a second while the block lasts."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self.peak = now(pid)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(5)

    def _look(self) -> None:
        while not self._over.wait(0.05):
            self.peak = self.peak.most(now(self._pid))
