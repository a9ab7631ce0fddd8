"""Waiting for what another process does."""

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")


def eventually(probe: Callable[[], Found], *, within: float, what: str) -> Found:
    """Ask until the answer is true, and return it; fail after so many seconds."""
    until = time.monotonic() + within
    while True:
        found = probe()
        if found:
            return found
        if time.monotonic() >= until:
            raise AssertionError(f"{what}: not within {within:g} s; last: {found!r}")
        time.sleep(0.02)
