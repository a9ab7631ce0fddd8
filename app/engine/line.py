"""Where those wait who were let in: for threads here, or for workers elsewhere."""

from collections.abc import Mapping
from typing import Any, Protocol

from app.domain.execution import Execution
from app.engine.pool import PoolStats


class Place(Protocol):
    """The right to run one execution, taken before anything is stored."""

    def take(self, execution: Execution) -> None:
        """Have it run as soon as its turn comes, now that it is recorded."""

    def free(self, why: BaseException | None = None) -> None:
        """Give the place back unused, maybe because of an error of the store."""


class Line(Protocol):
    """Decides who is let in."""

    seats: int  # that there are in any case, where the store counts them
    glance: float  # seconds between looks at the store, for what ends elsewhere

    def reserve(self) -> Place:
        """Take a place.

        Raises:
            Overloaded: there is none.
        """
        ...

    @property
    def mark(self) -> Mapping[str, Any]:
        """What a new execution says of whose it is: a field, and its value."""
        ...

    def leave(self, execution_id: str) -> None:
        """Let go of one that was cancelled."""

    def stats(self) -> PoolStats:
        """Count threads, places and refusals.

        Raises:
            StoreUnavailable: they are counted in the store.
        """
        ...
