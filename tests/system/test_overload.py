"""P3 and P4: the pool is bounded, and a refusal is told, counted and logged."""

import json
import resource
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.system import usage, verdict
from tests.system.flood import flood
from tests.system.serving import Server, step
from tests.system.sink import Sink

pytestmark = [pytest.mark.system, pytest.mark.alone]

EVENTS = 1_000
SEATS = 110


@pytest.fixture
def many_sockets() -> Iterator[None]:
    """Let this process hold a connection for every event, and the receiver's."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(8192, hard), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("many_sockets")
def test_of_1000_simultaneous_webhooks_110_are_accepted_and_890_told_to_come_back(
    start, sink: Sink, figure
):
    server: Server = start()
    api = server.api()
    api.register()
    slow = step("slow", f"{sink.url}/slow?seconds=8", {"n": "{{ trigger.body.n }}"})
    workflow = api.workflow("Slow", slow)
    bodies = [json.dumps({"n": n}).encode() for n in range(EVENTS)]
    [worker] = server.workers()
    idle = usage.now(worker)

    with usage.Watch(worker) as watch:
        replies = flood(workflow["webhook_url"], bodies, within=60)
        stats = api.call("GET", "/stats")
        executions = api.all_finished(within=150)

    assert Counter(each.status for each in replies) == {
        202: SEATS,
        503: EVENTS - SEATS,
    }
    refused = [each for each in replies if each.status == 503]
    assert all(int(each.headers["retry-after"]) >= 1 for each in refused)
    assert all(
        each.headers["content-type"] == "application/problem+json" for each in refused
    )
    assert Counter(each["status"] for each in executions) == {"success": SEATS}
    accepted = {each.json["execution_id"] for each in replies if each.status == 202}
    assert {each["id"] for each in executions} == accepted
    assert Counter(each.key for each in sink.arrivals()) == dict.fromkeys(
        (f"{each}:slow" for each in accepted), 1
    )
    _check_books(api.ledger())
    shed = server.events("Webhook shed", workflow_id=workflow["id"])
    assert sum(line["count"] for line in shed) == EVENTS - SEATS
    assert {line["capacity"] for line in shed} == {SEATS}
    assert watch.peak.descriptors < 1_000
    took = sorted(each.took for each in replies)
    figure("idle", str(idle))
    figure("peak", str(watch.peak))
    figure("answer, median and slowest, s", f"{took[EVENTS // 2]:.2f} {took[-1]:.2f}")
    figure("stats right after the storm", json.dumps(stats))


def _check_books(ledger: dict[str, int]) -> None:
    assert ledger["received"] == EVENTS
    assert ledger["success"] == SEATS
    assert ledger["shed"] == EVENTS - SEATS
    assert verdict.unbalanced(ledger) == []
