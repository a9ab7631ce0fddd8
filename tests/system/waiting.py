"""Waiting for what another process does."""

import os
import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")


def eventually(probe: Callable[[], Found], *, within: float, what: str) -> Found:
    """Ask until the answer is true, and return it; fail after so many seconds.

    Where more wants to run than the machine has processors, everybody gets less of
    them, and so much longer is waited.
    """
    began = time.monotonic()
    while True:
        found = probe()
        if found:
            return found
        lasted = time.monotonic() - began
        if lasted >= within * _shared_by():
            raise AssertionError(f"{what}: not within {lasted:.1f} s; last: {found!r}")
        time.sleep(0.02)


def _shared_by() -> float:
    """How many want each processor: of the last minute, at least one."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
