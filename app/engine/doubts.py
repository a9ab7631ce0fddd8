"""What this process may own without knowing it."""

import time
from collections.abc import Callable

from app.domain.errors import OutcomeUnknown
from app.engine.backlog import Backlog
from app.store.protocol import Executions

LATE = 10.0  # seconds in which a commit that was cut off may still take place


class Doubts:
    """Raised when a commit was cut off and nobody could say whether it took place.

    If it did, executions are queued for this process that it has never heard of, and
    nobody would run them while it lives.
    """

    def __init__(
        self,
        executions: Executions,
        backlog: Backlog,
        owner: str,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._executions, self._backlog, self._owner = executions, backlog, owner
        self._clock = clock
        self._until = clock()

    def raised_by(self, error: BaseException) -> None:
        """Note an error of a change that gives executions to this process."""
        if isinstance(error, OutcomeUnknown):
            self._until = self._clock() + LATE

    def settle(self) -> int:
        """Make owed work of what is queued here and unknown; return how many.

        One that becomes known just now may be among them: it is owed work then, and
        its job finds that the fence has changed.

        Raises:
            StoreUnavailable: it could not be done now.
        """
        if self._clock() >= self._until:
            return 0
        return self._executions.release(self._owner, but=self._backlog.ids())
