"""What is recorded of an execution, and to which trace it belongs."""

import itertools
import threading

import pytest

from app.domain.errors import StepFailed
from app.domain.execution import Status
from app.telemetry.traces import Span, Tracer

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SENDER = f"00-{TRACE}-00f067aa0ba902b7-01"
GATE = {"id": "gate", "uses": "gate", "with": {}}


class Kept(Span):
    """A span that remembers everything."""

    __slots__ = ("facts", "failure", "name", "over", "parent")

    def __init__(self, name, parent, context, facts):
        super().__init__(context)
        self.name, self.parent, self.facts = name, parent, dict(facts)
        self.failure, self.over = None, 0

    def note(self, facts):
        self.facts |= facts

    def fail(self, code):
        self.failure = code

    def end(self):
        self.over += 1


class Keeping(Tracer):
    """Keeps the spans of one process."""

    def __init__(self):
        self.spans: list[Kept] = []
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def span(self, name, parent, facts=(), **_):
        with self._lock:
            context = f"00-{TRACE}-{next(self._numbers):016x}-01"
            self.spans.append(Kept(name, parent, context, facts))
            return self.spans[-1]

    def named(self, name):
        return [each for each in self.spans if each.name == name]

    def tree(self):
        """Each span with the name of what it belongs to, in order of begin."""
        names = {each.context: each.name for each in self.spans}
        return [(each.name, names.get(each.parent, each.parent)) for each in self.spans]


@pytest.fixture
def tracer():
    return Keeping()


@pytest.fixture
def rig(make_rig, tracer):
    return make_rig(queue=10, tracer=tracer)


def send(value, **more):
    return {"id": "send", "uses": "recorder", "with": {"value": value}, **more}


def ended(tracer, rig, execution):
    """The spans of an execution that has ended."""
    rig.pool.join()
    assert [each.name for each in tracer.spans if each.over != 1] == []
    return tracer.tree()


def test_a_trace_joins_the_wait_the_execution_its_steps_and_their_attempts(rig, tracer):
    published = rig.workflow(
        {"id": "a", "uses": "set", "with": {"value": 1}},
        send("{{ steps.a.output }}"),
    )

    execution = rig.finish(published, trace=SENDER)

    assert ended(tracer, rig, execution) == [
        ("queue", SENDER),
        ("execution", SENDER),
        ("step", "execution"),
        ("attempt", "step"),
        ("step", "execution"),
        ("attempt", "step"),
    ]
    [span] = tracer.named("execution")
    assert span.facts == {
        "sluice.tenant_id": "tenant_1",
        "sluice.workflow_id": published.workflow.id,
        "sluice.execution_id": execution.id,
        "sluice.attempt": 1,
        "sluice.status": "success",
    }
    assert [each.facts for each in tracer.named("step")] == [
        {"sluice.step": "a", "sluice.uses": "set"},
        {"sluice.step": "send", "sluice.uses": "recorder"},
    ]


def test_each_attempt_has_a_span_with_its_failure_by_its_code(rig, tracer):
    rig.outside.failures += [
        StepFailed("http-status", "a secret", retryable=True),
        StepFailed("timeout", "a secret", retryable=True),
    ]
    published = rig.workflow(send(1, retry={"attempts": 2, "base": 0.01}))

    execution = rig.finish(published, trace=SENDER)

    ended(tracer, rig, execution)
    told = [(e.facts["sluice.attempt"], e.failure) for e in tracer.named("attempt")]
    assert told == [(1, "http-status"), (2, "timeout")]
    assert [e.failure for e in tracer.named("step")] == ["attempts-exhausted"]
    [span] = tracer.named("execution")
    assert (span.failure, span.facts["sluice.status"]) == (
        "attempts-exhausted",
        "failed",
    )
    assert "a secret" not in str([each.facts for each in tracer.spans])


def test_an_execution_that_waits_and_goes_on_has_a_span_for_each_stretch(rig, tracer):
    published = rig.workflow(
        {"id": "pause", "uses": "delay", "with": {"seconds": 1.01}}, send(1)
    )
    rig.engine.start()

    execution = rig.finish(published, trace=SENDER)

    rig.engine.stop()
    ended(tracer, rig, execution)
    assert [e.facts["sluice.status"] for e in tracer.named("execution")] == [
        "waiting",
        "success",
    ]
    assert {each.parent for each in tracer.named("execution")} == {SENDER}
    assert len(tracer.named("queue")) == 1


def test_what_another_process_goes_on_with_belongs_to_the_same_trace(
    make_rig, rig, tracer
):
    rig.ownership.acquire()
    execution = rig.submit(rig.workflow(GATE, send(1)), trace=SENDER)
    assert rig.outside.begun.wait(5)
    rig.ownership.release()
    theirs = Keeping()
    heir = make_rig(store=rig.store, workers=2, tracer=theirs)
    heir.outside.open.set()

    heir.engine.start()
    heir.until(execution, Status.SUCCESS)
    heir.engine.stop()

    [span] = theirs.named("execution")
    assert span.parent == SENDER
    assert span.facts["sluice.attempt"] == 2
    assert theirs.named("queue") == []


def test_the_log_of_an_execution_names_its_trace(rig, tracer, caplog):
    caplog.set_level("INFO")

    rig.finish(rig.workflow(send(1)), trace=SENDER)
    rig.pool.join()

    [line] = [each for each in caplog.records if each.message == "Workflow executed"]
    assert line.__dict__["trace_id"] == TRACE


def test_an_execution_of_no_trace_has_none_in_its_line(make_rig, caplog):
    caplog.set_level("INFO")
    rig = make_rig()

    rig.finish(rig.workflow(send(1)))
    rig.pool.join()

    [line] = [each for each in caplog.records if each.message == "Workflow executed"]
    assert "trace_id" not in line.__dict__
