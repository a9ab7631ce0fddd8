"""P3: what a process holds does not grow with what it has done."""

import json

import pytest

from tests.system import usage
from tests.system.hammer import hammer
from tests.system.serving import Server
from tests.system.waiting import eventually

pytestmark = [pytest.mark.system, pytest.mark.alone]

WARM, MORE = 8_000, 12_000  # events
ROOM = 12 << 10  # KiB that memory may grow by: one for each execution after the warm-up
THREADS = 16 + 10 + 14  # for requests, for executions, and of the process itself
DESCRIPTORS = 2 * 40 + 12  # of every connection that may yet read, and of the clients
BODY = json.dumps({"order": 7, "text": "x" * 500}).encode()


def test_what_12000_executions_leave_in_memory_is_next_to_nothing(start, figure):
    server: Server = start(SLUICE_POOL_QUEUE="1000")
    api = server.api()
    api.register()
    note = {"id": "note", "uses": "set", "with": {"value": "{{ trigger.body.order }}"}}
    hook = api.workflow("Small", note)["webhook_url"]
    [worker] = server.workers()
    idle = usage.now(worker)

    def run(count: int, *, total: int) -> usage.Usage:
        assert hammer(hook, BODY, count).statuses == {202: count}
        eventually(
            lambda: api.ledger()["success"] == total, within=60, what="all have ended"
        )
        return usage.now(worker)

    warm = run(WARM, total=WARM)
    after = run(MORE, total=WARM + MORE)

    assert after.memory - warm.memory < ROOM
    assert after.threads <= THREADS
    assert after.descriptors <= warm.descriptors + DESCRIPTORS
    figure("before", str(idle))
    figure(f"after {WARM} executions", str(warm))
    figure(f"after {WARM + MORE} executions", str(after))
