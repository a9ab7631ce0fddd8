"""The books of the door, in memory."""

from collections import Counter
from collections.abc import Mapping
from concurrent.futures import Future
from datetime import datetime

from app.domain.execution import Execution, Status
from app.domain.ledger import Account, Balance, Outcome
from app.domain.times import hour_of
from app.store.memory.state import State


class MemoryLedger:
    """`Ledger` in a counter."""

    def __init__(self, state: State) -> None:
        self._state = state

    def book(
        self, counts: Mapping[tuple[Account, Outcome], int], *, process: str
    ) -> "Future[None]":
        def change() -> None:
            for (account, outcome), n in counts.items():
                self._state.counts[account, outcome, process] += n

        return self._state.settle(change)

    def fold(self, dead: str) -> None:
        with self._state.writing():
            folded: Counter[tuple[Account, Outcome, str]] = Counter()
            for (account, outcome, process), n in self._state.counts.items():
                folded[account, outcome, "" if process == dead else process] += n
            self._state.counts = folded

    def balance(
        self,
        tenant_id: str,
        *,
        workflow_id: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Balance:
        def wanted(tenant: str, workflow: str, hour: int) -> bool:
            return (
                tenant == tenant_id
                and workflow_id in (None, workflow)
                and (since is None or hour >= hour_of(since))
                and (until is None or hour < hour_of(until))
            )

        def shown(each: Execution) -> bool:
            return wanted(each.tenant_id, each.workflow_id, hour_of(each.created_at))

        door: Counter[Outcome] = Counter()
        with self._state.lock:
            for (account, outcome, _), n in self._state.counts.items():
                if wanted(account.tenant_id, account.workflow_id, account.hour):
                    door[outcome] += n
            rows: Counter[Status] = Counter(
                each.status for each in self._state.executions.values() if shown(each)
            )
        return Balance(door=dict(door), executions=dict(rows))
