"""One trace over processes on different machines, at a real OTLP receiver."""

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.collector import Collector, Taken
from tests.services.postgres import Postgres
from tests.services.redis import Redis
from tests.system.client import post
from tests.system.fleet import Fleet, at, fleet
from tests.system.serving import Server, step
from tests.system.sink import Sink
from tests.system.waiting import eventually

pytestmark = pytest.mark.system

WHOLE = ("receive", "queue", "execution", "step", "attempt", "POST")


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as one:
        yield one


@pytest.fixture
def machines(
    tmp_path: Path, postgres: Postgres, redis: Redis, collector: Collector
) -> Iterator[Fleet]:
    settings = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_BSP_SCHEDULE_DELAY": "200",  # ms
    }
    with fleet(tmp_path / "traced", postgres, redis, **settings) as one:
        yield one


def test_one_trace_joins_the_webhook_of_one_machine_with_the_calls_of_another(
    machines: Fleet, sink: Sink, collector: Collector
):
    web = machines.web(OTEL_SERVICE_NAME="web")
    worker = machines.worker(OTEL_SERVICE_NAME="worker")
    api = web.api()
    api.register()
    workflow = api.workflow(
        "Two steps", step("first", f"{sink.url}/a"), step("second", f"{sink.url}/b")
    )
    trace_id = secrets.token_hex(16)
    sender = secrets.token_hex(8)

    answer = post(at(web, workflow), {}, traceparent=f"00-{trace_id}-{sender}-01")
    execution_id = answer.json["execution_id"]
    api.finished(execution_id)
    spans = collector.wait_for(*WHOLE, trace_id=trace_id, within=60)

    assert where(spans) == {
        "receive": {("web", "sender")},
        "queue": {("worker", "receive")},
        "execution": {("worker", "receive")},
        "step": {("worker", "execution")},
        "attempt": {("worker", "step")},
        "POST": {("worker", "attempt")},
    }
    [receive] = [each for each in spans if each.name == "receive"]
    assert receive.parent_id == sender
    told = [each.headers["traceparent"].split("-") for each in sink.arrivals()]
    assert [each[1] for each in told] == [trace_id] * 2
    assert {each[2] for each in told} == {e.span_id for e in spans if e.name == "POST"}
    [queued] = lines(web, "Execution queued", execution_id)
    [executed] = lines(worker, "Workflow executed", execution_id)
    assert queued["trace_id"] == executed["trace_id"] == trace_id


def where(spans: list[Taken]) -> dict[str, set[tuple[str, str]]]:
    """By name: the process that made such spans, and what they belong to."""
    names = {each.span_id: each.name for each in spans}
    found: dict[str, set[tuple[str, str]]] = {}
    for each in spans:
        place = each.service["service.name"], names.get(each.parent_id, "sender")
        found.setdefault(each.name, set()).add(place)
    return found


def lines(server: Server, message: str, execution_id: str) -> list[dict[str, Any]]:
    """Wait for what a process says of an execution."""

    def said() -> list[dict[str, Any]]:
        return [
            each
            for each in server.events(message)
            if each.get("execution_id") == execution_id
        ]

    return eventually(said, within=20, what=f"{message!r} of {execution_id}")
