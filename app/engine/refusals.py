"""What the door turned away: counted at once, written and logged once a second."""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Mapping

from app.domain import times
from app.domain.errors import StoreUnavailable
from app.domain.execution import Trigger
from app.domain.ledger import Account, Outcome
from app.domain.workflow import Workflow
from app.engine.pool import PoolStats
from app.store.protocol import Ledger

log = logging.getLogger(__name__)
Counts = Counter[tuple[Account, Outcome]]
Reasons = Counter[tuple[Account, str]]  # of what was shed, by code


class Refusals:
    """Counters in memory, so that refusing costs no write.

    `received` and the outcome are written together; a crash loses both sides.
    """

    def __init__(
        self, ledger: Ledger, *, process: str, stats: Callable[[], PoolStats]
    ) -> None:
        self._ledger, self._process, self._stats = ledger, process, stats
        self._lock = threading.Lock()
        self._counts: Counts = Counter()
        self._reasons: Reasons = Counter()

    def count(self, workflow: Workflow, trigger: Trigger, outcome: Outcome) -> None:
        """Count one attempt that did not become an execution."""
        account = _account(workflow, trigger)
        with self._lock:
            self._counts[account, outcome] += 1

    def shed(self, workflow: Workflow, trigger: Trigger, code: str) -> None:
        """Count one attempt that was told to come again, under the problem's code."""
        account = _account(workflow, trigger)
        with self._lock:
            self._counts[account, Outcome.SHED] += 1
            self._reasons[account, code] += 1

    def flush(self) -> None:
        """Write and log what was counted since the last time.

        Raises:
            StoreUnavailable: nothing was written; the counts are kept.
        """
        with self._lock:
            counts, self._counts = self._counts, Counter()
            reasons, self._reasons = self._reasons, Counter()
        if not counts:
            return
        try:
            self._ledger.book(_both_sides(counts), process=self._process).result()
        except StoreUnavailable:
            with self._lock:
                self._counts.update(counts)
                self._reasons.update(reasons)
            raise
        self._log(counts, reasons)

    def _log(self, counts: Counts, reasons: Reasons) -> None:
        stats = self._stats()
        for (account, outcome), count in counts.items():
            if outcome is Outcome.SHED:
                log.warning(
                    "Webhook shed",
                    extra={
                        "tenant_id": account.tenant_id,
                        "workflow_id": account.workflow_id,
                        "trigger": account.trigger.value,
                        "count": count,
                        "codes": _of(account, reasons),
                        "busy": stats.busy,
                        "queued": stats.queued,
                        "capacity": stats.capacity,
                    },
                )


def _account(workflow: Workflow, trigger: Trigger) -> Account:
    hour = times.hour_of(times.now())
    return Account(workflow.tenant_id, workflow.id, trigger, hour)


def _of(account: Account, reasons: Reasons) -> Mapping[str, int]:
    """Count an account's refusals by code."""
    return {code: n for (whose, code), n in reasons.items() if whose == account}


def _both_sides(counts: Counts) -> Mapping[tuple[Account, Outcome], int]:
    entries: Counts = Counter(counts)
    for (account, _), count in counts.items():
        entries[account, Outcome.RECEIVED] += count
    return entries
