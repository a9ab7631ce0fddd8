"""Lines that strangers can cause by the thousand: one a second of each kind."""

import logging
import threading
from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """What lines have in common that are counted together."""

    log: logging.Logger
    message: str
    facts: tuple[tuple[str, str], ...]

    def write(self, count: int) -> None:
        """Write a line for so many."""
        self.log.warning(self.message, extra={**dict(self.facts), "count": count})


class Summed:
    """Warnings with a `count`, which add up to what happened.

    The first of a kind is written at once, with what is known about the work at hand;
    what follows is summed up by `flush`, until a second passes without any.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._unsaid: Counter[Kind] = Counter()

    def warn(self, log: logging.Logger, message: str, **facts: str) -> None:
        """Count what happened, and say so now or within a second."""
        kind = Kind(log, message, tuple(facts.items()))
        with self._lock:
            is_first = kind not in self._unsaid
            self._unsaid[kind] += not is_first
        if is_first:
            kind.write(1)

    def flush(self) -> None:
        """Say what is left to say; once a second."""
        with self._lock:
            unsaid = {kind: count for kind, count in self._unsaid.items() if count}
            self._unsaid = Counter(dict.fromkeys(unsaid, 0))
        for kind, count in unsaid.items():
            kind.write(count)
