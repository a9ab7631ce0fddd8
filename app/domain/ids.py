"""Ids: a prefix that says what it names, and a time-ordered UUID (version 7)."""

import os
import re
import struct
import threading
import time

DRAWN = 128  # random numbers fetched at once
COUNTER_MAX = 0xFFF  # 12 bits
PATTERN = re.compile(r"[a-z]{2,6}(?:_[a-z]{2,6})?_[0-9a-f]{32}")


class _Clock:
    """Milliseconds and a counter that never give the same pair twice in a process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = (0, 0)

    def tick(self) -> tuple[int, int]:
        now = time.time_ns() // 1_000_000
        with self._lock:
            last, counter = self._last
            if now > last:
                self._last = (now, 0)
            elif counter < COUNTER_MAX:
                self._last = (last, counter + 1)
            else:
                self._last = (last + 1, 0)
            return self._last


class _Dice:
    """Random numbers of the kernel, of 64 bits each.

    Many are fetched at once, because each call gives up the GIL; a process that is
    forked begins with none.
    """

    def __init__(self) -> None:
        self._drawn: list[int] = []
        os.register_at_fork(after_in_child=self._drawn.clear)

    def throw(self) -> int:
        try:
            return self._drawn.pop()
        except IndexError:
            first, *others = struct.unpack(f"{DRAWN}Q", os.urandom(DRAWN * 8))
            self._drawn += others
            return int(first)


_clock, _dice = _Clock(), _Dice()


def new(prefix: str) -> str:
    """Make an id such as ``exec_0199…``; ids made later in a process sort later.

    Source: RFC 9562 section 5.7, with method 1 of section 6.2 (a fixed-length
    counter of 12 bits in ``rand_a``).
    """
    millis, counter = _clock.tick()
    tail = _dice.throw() & 0x3FFF_FFFF_FFFF_FFFF | 1 << 63
    return f"{prefix}_{millis:012x}7{counter:03x}{tail:016x}"


def least(prefix: str, millis: int) -> str:
    """Return what no id sorts before that is made at that time, or later.

    Args:
        prefix: of the ids.
        millis: since 1970; times before are taken for that.
    """
    return f"{prefix}_{max(0, millis):012x}"


def well_formed(text: str, prefix: str) -> bool:
    """Tell whether a client's text can be an id of this kind at all."""
    return text.startswith(f"{prefix}_") and PATTERN.fullmatch(text) is not None
