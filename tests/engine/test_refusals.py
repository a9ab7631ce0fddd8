"""What was turned away, in the books and in the log."""

import logging
from concurrent.futures import Future
from typing import Any

import pytest

from app.domain.errors import StoreUnavailable
from app.domain.execution import Trigger
from app.domain.ledger import Outcome
from app.engine.refusals import Refusals
from app.store.memory.ledger import MemoryLedger


def test_books_both_sides_at_once_and_logs_one_line_for_all(rig, caplog):
    workflow = rig.workflow({"id": "a", "uses": "set", "with": {"value": 1}}).workflow
    for code in ("queue-full", "tenant-rate", "queue-full"):
        rig.refusals.shed(workflow, Trigger.WEBHOOK, code)
    rig.refusals.count(workflow, Trigger.WEBHOOK, Outcome.REJECTED)

    with caplog.at_level(logging.WARNING):
        rig.refusals.flush()
        rig.refusals.flush()

    books = rig.store.ledger.balance("tenant_1", workflow_id=workflow.id)
    assert books.received == books.accounted == 4
    assert books.door[Outcome.SHED] == 3
    (line,) = [r.__dict__ for r in caplog.records if r.message == "Webhook shed"]
    assert (line["count"], line["workflow_id"]) == (3, workflow.id)
    assert line["codes"] == {"queue-full": 2, "tenant-rate": 1}
    assert {"busy", "queued", "capacity", "tenant_id"} <= line.keys()


class Ledger(MemoryLedger):
    """Fails until it is mended."""

    def __init__(self):
        self.broken, self.booked = True, {}

    def book(self, counts, *, process):
        future: Future[Any] = Future()
        if self.broken:
            future.set_exception(StoreUnavailable("the disk is full"))
        else:
            self.booked = dict(counts)
            future.set_result(None)
        return future


def test_keeps_its_counts_while_the_store_fails(rig):
    ledger = Ledger()
    refusals = Refusals(ledger, process="p", stats=rig.pool.stats)
    workflow = rig.workflow({"id": "a", "uses": "set", "with": {"value": 1}}).workflow
    refusals.shed(workflow, Trigger.WEBHOOK, "queue-full")
    with pytest.raises(StoreUnavailable):
        refusals.flush()
    refusals.shed(workflow, Trigger.WEBHOOK, "queue-full")

    ledger.broken = False
    refusals.flush()

    assert set(ledger.booked.values()) == {2}
