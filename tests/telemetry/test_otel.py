"""Spans that are recorded and sent, to a real OTLP receiver."""

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from app.telemetry.otel import PATIENCE, Recorder
from app.telemetry.traces import Kind
from tests.collector import Collector

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SAMPLED = f"00-{TRACE}-00f067aa0ba902b7-01"
NOT_SAMPLED = f"00-{TRACE}-00f067aa0ba902b7-00"
VARIABLES = ("OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES", "OTEL_TRACES_SAMPLER")


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def collector():
    with Collector() as one:
        yield one


def sent(collector, *work):
    """Record what the work records, and return what came of it."""
    recorder = Recorder(collector.url, version="1.2")
    recorder.start()
    for each in work:
        each(recorder)
    assert recorder._provider.force_flush(30_000)  # a stop waits for a moment only
    recorder.stop()
    return collector.spans()


def test_a_span_is_sent_with_its_parent_its_times_and_its_facts(collector):
    began = datetime(2026, 1, 8, 12, 34, 56, 789000, tzinfo=UTC)

    def work(recorder):
        facts = {"sluice.attempt": 2, "sluice.step": None}
        with recorder.span("call", SAMPLED, facts, kind=Kind.OUT, began=began) as span:
            span.note({"http.response.status_code": 500})
            span.fail("http-status")
            assert span.trace_id == TRACE
            assert span.context.startswith(f"00-{TRACE}-")
            assert span.context.endswith("-01")
            assert span.context != SAMPLED

    [span] = sent(collector, work)

    assert (span.name, span.kind, span.failed) == ("call", 3, True)
    assert (span.trace_id, span.parent_id) == (TRACE, "00f067aa0ba902b7")
    assert span.began == 1_767_875_696_789_000_000
    assert span.ended > span.began
    assert span.attributes == {
        "sluice.attempt": 2,
        "http.response.status_code": 500,
        "error.type": "http-status",
    }
    assert span.service["service.name"] == "sluice"
    assert span.service["service.version"] == "1.2"


def test_a_span_without_a_parent_begins_a_trace(collector):
    contexts = []

    def work(recorder):
        with recorder.span("receive", None) as outer:
            recorder.span("queue", outer.context).end()
            contexts.append(outer.trace_id)

    queue, receive = sent(collector, work)

    assert receive.parent_id == ""
    assert queue.parent_id == receive.span_id
    assert {queue.trace_id, receive.trace_id} == set(contexts)


def test_who_began_the_trace_decides_whether_it_is_recorded(collector):
    contexts = []

    def work(recorder):
        with recorder.span("receive", NOT_SAMPLED, {"sluice.attempt": 1}) as span:
            span.note({"sluice.attempt": 2})
            span.fail("internal")
            contexts.append(span.context)

    assert sent(collector, work) == []
    [context] = contexts
    assert context.startswith(f"00-{TRACE}-")
    assert context.endswith("-00")


def test_the_standard_variables_say_what_is_sampled_and_how_it_is_named(
    collector, monkeypatch
):
    monkeypatch.setenv("OTEL_SERVICE_NAME", "mill")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=test")
    [span] = sent(collector, lambda recorder: recorder.span("receive", None).end())
    assert span.service["service.name"] == "mill"
    assert span.service["deployment.environment"] == "test"

    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    again = sent(collector, lambda recorder: recorder.span("receive", SAMPLED).end())
    assert again == [span]


def test_a_group_commit_names_some_of_the_traces_that_it_was_for(collector):
    contexts = [SAMPLED.replace(TRACE, f"{n:032x}") for n in range(1, 100)]

    [span] = sent(collector, lambda recorder: recorder.committed(99, 0.25, contexts))

    assert (span.name, span.attributes) == ("commit", {"sluice.changes": 99})
    assert timedelta(microseconds=(span.ended - span.began) / 1000) == timedelta(
        seconds=0.25
    )
    assert span.links == tuple(f"{n:032x}" for n in range(1, 17))


def test_a_collector_that_hangs_holds_a_stop_up_for_a_moment_only():
    with Collector(hangs=True) as collector:
        recorder = Recorder(collector.url, version="1.2")
        recorder.start()
        recorder.span("receive", None).end()
        began = time.monotonic()

        recorder.stop()

        assert PATIENCE <= time.monotonic() - began < PATIENCE + 1
        assert collector.requests == 1
        sending = [each for each in threading.enumerate() if "Otel" in each.name]
    for each in sending:
        each.join(10)
        assert not each.is_alive()
