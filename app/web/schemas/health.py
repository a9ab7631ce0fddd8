"""Health, the pool and the books."""

from typing import Literal

from app.domain.execution import Status
from app.domain.ledger import Balance, Outcome
from app.engine.pool import PoolStats
from app.web.schemas.types import Instant, Query, View


class HealthView(View):
    """The process answers."""

    status: Literal["ok"] = "ok"


class PoolView(View):
    """The pool of this process at one instant; `shed` counts since its start."""

    workers: int
    busy: int
    queued: int
    capacity: int
    shed: int

    @classmethod
    def of(cls, stats: PoolStats) -> "PoolView":
        """Show the pool."""
        return cls(
            workers=stats.workers,
            busy=stats.busy,
            queued=stats.queued,
            capacity=stats.capacity,
            shed=stats.shed,
        )


class StatsView(View):
    """How much this process has to do."""

    pool: PoolView


class LedgerQuery(Query):
    """Which books: whole hours of receipt, `until` exclusive."""

    workflow_id: str | None = None
    since: Instant | None = None
    until: Instant | None = None


class LedgerView(View):
    """What was received, and what became of it; both sides are equal."""

    received: int
    duplicate: int
    handshake: int
    rejected: int
    shed: int
    queued: int
    running: int
    waiting: int
    success: int
    failed: int
    cancelled: int
    unknown: int
    quarantined: int
    accounted: int
    balanced: bool

    @classmethod
    def of(cls, balance: Balance) -> "LedgerView":
        """Show the books."""
        door = {str(each): balance.door.get(each, 0) for each in Outcome}
        rows = {str(each): balance.executions.get(each, 0) for each in Status}
        return cls.model_validate(
            {
                **door,
                **rows,
                "accounted": balance.accounted,
                "balanced": balance.received == balance.accounted,
            }
        )
