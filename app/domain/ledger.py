"""The books: what was received, and what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from app.domain.execution import Status, Trigger


class Outcome(StrEnum):
    """What the door counts; executions are counted from their rows."""

    RECEIVED = "received"
    DUPLICATE = "duplicate"
    HANDSHAKE = "handshake"
    REJECTED = "rejected"
    SHED = "shed"


@dataclass(frozen=True, slots=True)
class Account:
    """What an entry is booked under; `hour` is the hour of receipt."""

    tenant_id: str
    workflow_id: str
    trigger: Trigger
    hour: int  # whole hours since 1970


@dataclass(frozen=True, slots=True)
class Balance:
    """The books of a tenant or workflow; balanced when both sides are equal."""

    door: Mapping[Outcome, int]
    executions: Mapping[Status, int]

    @property
    def received(self) -> int:
        """Everything that came to the door."""
        return self.door.get(Outcome.RECEIVED, 0)

    @property
    def accounted(self) -> int:
        """Everything whose outcome is known."""
        refused = sum(n for o, n in self.door.items() if o is not Outcome.RECEIVED)
        return refused + sum(self.executions.values())
