"""The contract for the keys by which a delivery that comes again is known."""

from datetime import datetime
from typing import Protocol


class Dedupe(Protocol):
    """Keys that `Executions.add` recorded, each with the execution that was first.

    Kept apart from the executions: a key outlives one that is deleted.
    """

    def forget(
        self, tenant_id: str, workflow_id: str, key: bytes, *, execution_id: str
    ) -> None:
        """Let the next delivery with this key run.

        Does nothing if the key stands for another execution by now, or for none.
        """

    def sweep(self, at: datetime, *, limit: int) -> int:
        """Delete keys that have expired, the oldest first; return how many."""
        ...
