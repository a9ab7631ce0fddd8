"""The contract for tries that are counted, so that a limit holds in every process."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Protocol

from app.domain.limit import Limit


class Tries(Protocol):
    """Tallies, each under a key that tells nobody what it stands for."""

    def take(self, limits: Mapping[bytes, Limit], *, at: datetime) -> timedelta:
        """Count one try under every key, or under none if a limit says to wait.

        However many try at the same time, no limit lets more of them through than it
        would one after the other. A refusal costs no write.

        Returns:
            How long to wait until all limits allow it; zero: it was counted.
        """
        ...

    def clear(self, key: bytes) -> None:
        """Forget what was tried under a key."""

    def sweep(self, at: datetime, *, limit: int) -> int:
        """Delete tallies that have expired; return how many."""
        ...
