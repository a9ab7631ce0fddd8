"""P4: refusing costs no write and no memory, and less time than accepting."""

import json

import pytest

from tests.system import stored, usage, verdict
from tests.system.hammer import hammer
from tests.system.serving import Server, step
from tests.system.sink import Sink
from tests.system.waiting import eventually

pytestmark = [pytest.mark.system, pytest.mark.alone]

SEATS = 2_000
BATCH, BATCHES = 5_000, 4
REFUSED = BATCH * BATCHES
LONG = 300  # seconds that a step may take: all batches, on any machine
ROOM = 8 << 10  # KiB that memory may grow by in all batches but the first
BODY = json.dumps({"order": 7, "text": "x" * 500}).encode()


def test_20000_refusals_write_next_to_nothing_and_keep_nothing(
    start, sink: Sink, figure
):
    server: Server = start(SLUICE_POOL_QUEUE=str(SEATS - 10))
    data = server.home / "data"
    api = server.api()
    api.register()
    held = step("held", f"{sink.url}/held?held=1", timeout=LONG)
    workflow = api.workflow("Held", held)
    hook = workflow["webhook_url"]
    [worker] = server.workers()
    idle = usage.cpu(worker)
    accepting = hammer(hook, BODY, SEATS)
    acceptance = (usage.cpu(worker) - idle) / SEATS
    sink.wait_for(10, within=10)
    stored.begin_log_anew(data)
    rows = stored.rows(data, "SELECT count(*) FROM ledger")

    before, busy = usage.now(worker), usage.cpu(worker)
    blows = [hammer(hook, BODY, BATCH)]
    warm = usage.now(worker)
    blows += [hammer(hook, BODY, BATCH) for _ in range(BATCHES - 1)]
    after = usage.now(worker)
    refusal = (usage.cpu(worker) - busy) / REFUSED
    eventually(lambda: api.ledger()["shed"] == REFUSED, within=5, what="all are booked")

    assert accepting.statuses == {202: SEATS}
    assert [each.statuses for each in blows] == [{503: BATCH}] * BATCHES
    assert dict(stored.rows(data, stored.BY_STATUS)) == {
        "running": 10,
        "queued": SEATS - 10,
    }
    written = stored.frames(data)
    assert written < REFUSED / 100
    [(more,)] = stored.rows(data, "SELECT count(*) FROM ledger")
    assert more - rows[0][0] <= 2 * 2  # two outcomes, and maybe the next hour's
    assert after.memory - warm.memory < ROOM
    assert verdict.unbalanced(api.ledger()) == []
    shed = server.events("Webhook shed", workflow_id=workflow["id"])
    assert sum(line["count"] for line in shed) == REFUSED
    assert refusal < acceptance  # rates depend on what else the machine does
    rate = REFUSED / sum(each.seconds for each in blows)
    figure(
        "CPU for a refusal, an acceptance, µs",
        f"{refusal * 1e6:.0f}, {acceptance * 1e6:.0f}",
    )
    figure(
        "refusals a second, acceptances a second", f"{rate:.0f}, {accepting.rate:.0f}"
    )
    figure(f"database pages written for {REFUSED} refusals", written)
    figure("log lines for them", len(shed))
    figure("before", str(before))
    figure(f"after {REFUSED} refusals", str(after))
