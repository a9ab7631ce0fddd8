"""Traces of a real server at a real OTLP receiver."""

import secrets
import time

import pytest

from tests.collector import Collector
from tests.system import usage
from tests.system.client import Api, post
from tests.system.serving import Server, free_port, step
from tests.system.sink import Sink
from tests.system.waiting import eventually

pytestmark = pytest.mark.system

WHOLE = ("receive", "queue", "execution", "step", "attempt", "POST")
SECRET = "a-secret-that-no-span-may-show"
ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
KIB = 1 << 10
SOON = {"OTEL_BSP_SCHEDULE_DELAY": "200"}  # ms


@pytest.fixture
def collector():
    with Collector() as one:
        yield one


def context() -> tuple[str, str]:
    """A new trace, and what a sender says of it."""
    trace_id = secrets.token_hex(16)
    return trace_id, f"00-{trace_id}-{secrets.token_hex(8)}-01"


def two_steps(api: Api, sink: Sink, first: str = "", second: str = ""):
    return api.workflow(
        "Two steps",
        step("first", f"{sink.url}/first?note={SECRET}{first}", {"a": SECRET}),
        step("second", f"{sink.url}/second?note={SECRET}{second}", 1),
    )


def parents(spans) -> dict[str, set[str]]:
    """By name, the names of what spans belong to; `sender` is outside."""
    names = {each.span_id: each.name for each in spans}
    found: dict[str, set[str]] = {}
    for each in spans:
        found.setdefault(each.name, set()).add(names.get(each.parent_id, "sender"))
    return found


def test_one_trace_joins_webhook_wait_steps_and_calls_and_is_named_in_the_log(
    start, sink: Sink, collector: Collector
):
    server: Server = start(**{ENDPOINT: collector.url, "WEB_CONCURRENCY": "2"}, **SOON)
    api = server.api()
    api.register()
    hook = two_steps(api, sink)["webhook_url"]
    trace_id, sender = context()

    answer = post(f"{hook}/more/{SECRET}?q={SECRET}", {"b": SECRET}, traceparent=sender)
    execution_id = answer.json["execution_id"]
    api.finished(execution_id)
    spans = collector.wait_for(*WHOLE, trace_id=trace_id, within=20)

    assert parents(spans) == {
        "receive": {"sender"},
        "queue": {"receive"},
        "execution": {"receive"},
        "step": {"execution"},
        "attempt": {"step"},
        "POST": {"attempt"},
    }
    calls = {each.span_id for each in spans if each.name == "POST"}
    told = [each.headers["traceparent"].split("-") for each in sink.arrivals()]
    assert [each[1] for each in told] == [trace_id] * 2
    assert {each[2] for each in told} == calls
    assert all(each.began <= each.ended for each in spans)
    assert {each.service["service.name"] for each in spans} == {"sluice"}
    lines = [
        each for each in server.lines() if each.get("execution_id") == execution_id
    ]
    assert {each["message"] for each in lines} == {
        "Execution queued",
        "Workflow executed",
    }
    assert {each.get("trace_id") for each in lines} == {trace_id}
    everything = str(collector.spans())
    assert SECRET not in everything
    assert hook.rpartition("/")[2] not in everything


def test_commits_are_spans_that_name_what_they_were_for(
    start, sink: Sink, collector: Collector
):
    server: Server = start(**{ENDPOINT: collector.url}, **SOON)
    api = server.api()
    api.register()
    hook = two_steps(api, sink)["webhook_url"]
    trace_id, sender = context()

    api.finished(post(hook, {}, traceparent=sender).json["execution_id"])

    eventually(
        lambda: [e for e in collector.spans() if trace_id in e.links],
        within=20,
        what="the commit that recorded the event",
    )
    [commit] = [each for each in collector.spans() if trace_id in each.links]
    assert commit.name == "commit"
    assert commit.attributes["sluice.changes"] >= 1
    assert commit.trace_id != trace_id


def test_what_goes_on_after_a_kill_belongs_to_the_same_trace(
    start, sink: Sink, collector: Collector
):
    server: Server = start(**{ENDPOINT: collector.url}, **SOON)
    api = server.api()
    api.register()
    hook = two_steps(api, sink, second="&held=1")["webhook_url"]
    trace_id, sender = context()
    execution_id = post(hook, {}, traceparent=sender).json["execution_id"]
    sink.wait_at("/second", within=10)
    collector.wait_for("receive", "queue", "step", trace_id=trace_id, within=10)

    server.kill()
    sink.release()
    server.start()
    api.finished(execution_id)
    spans = collector.wait_for("execution", trace_id=trace_id, within=20)

    [execution] = [each for each in spans if each.name == "execution"]
    assert execution.attributes["sluice.attempt"] == 2
    assert execution.attributes["sluice.status"] == "success"
    steps = [e.attributes["sluice.step"] for e in spans if e.name == "step"]
    assert steps == ["first", "second"]
    assert {each.headers["traceparent"].split("-")[1] for each in sink.arrivals()} == {
        trace_id
    }


def test_a_stop_sends_the_last_spans(start, sink: Sink, collector: Collector):
    server: Server = start(**{ENDPOINT: collector.url})
    api = server.api()
    api.register()
    hook = two_steps(api, sink)["webhook_url"]
    trace_id, sender = context()
    api.finished(post(hook, {}, traceparent=sender).json["execution_id"])

    assert server.stop() == 0

    assert set(WHOLE) <= {each.name for each in collector.spans(trace_id)}


@pytest.mark.parametrize("kind", ["absent", "broken", "hanging"])
def test_a_collector_that_does_not_work_disturbs_nobody(start, sink: Sink, kind):
    with Collector(
        status=500 if kind == "broken" else 200, hangs=kind == "hanging"
    ) as collector:
        absent = f"http://127.0.0.1:{free_port()}"
        url = absent if kind == "absent" else collector.url
        server: Server = start(**{ENDPOINT: url}, **SOON)
        api = server.api()
        api.register()
        hook = two_steps(api, sink)["webhook_url"]

        took = []
        for _ in range(100):
            began = time.monotonic()
            assert post(hook, {}).status == 202
            took.append(time.monotonic() - began)
        executions = api.all_finished(within=30)
        began = time.monotonic()
        assert server.stop() == 0
        stopped = time.monotonic() - began

    assert {each["status"] for each in executions} == {"success"}
    assert len(executions) == 100
    assert sorted(took)[50] < 0.5
    assert stopped < 10
    assert "Traceback" not in server.written()


def test_spans_are_made_only_where_they_are_sampled(
    start, sink: Sink, collector: Collector
):
    server: Server = start(
        **{ENDPOINT: collector.url, "OTEL_TRACES_SAMPLER": "parentbased_always_off"},
        **SOON,
    )
    api = server.api()
    api.register()
    hook = two_steps(api, sink)["webhook_url"]
    wanted, sender = context()

    for _ in range(5):
        api.finished(post(hook, {}).json["execution_id"])
    api.finished(post(hook, {}, traceparent=sender).json["execution_id"])
    collector.wait_for(*WHOLE, trace_id=wanted, within=20)
    server.stop()

    assert {each.trace_id for each in collector.spans()} == {wanted}


def test_what_traces_need_is_loaded_only_where_they_are_wanted(
    start, collector: Collector, figure
):
    memory, seconds = {}, {}
    for name, settings in (("without", {}), ("with", {ENDPOINT: collector.url})):
        server: Server = start(**settings)
        [worker] = server.workers()
        memory[name] = usage.now(worker).memory / KIB
        server.stop()
        seconds[name] = min(_restart(server) for _ in range(3))

    assert memory["without"] < memory["with"] - 5
    for name, size in memory.items():
        figure(f"MiB of an idle process, {name} traces", f"{size:.0f}")
        figure(f"seconds to start, {name} traces", f"{seconds[name]:.2f}")


def _restart(server: Server) -> float:
    took = server.start()
    server.stop()
    return took
