"""W3C trace context: what is believed, and what is passed on."""

import pytest

from app.domain.errors import StepFailed
from app.telemetry import traces
from app.telemetry.traces import NOTHING, Span, Tracer

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


@pytest.mark.parametrize(
    ("header", "read"),
    [
        (PARENT, PARENT),
        (PARENT[:-2] + "00", PARENT[:-2] + "00"),
        ("01" + PARENT[2:], PARENT),
        ("cc" + PARENT[2:] + "-what-the-future-brings", PARENT),
    ],
)
def test_a_context_is_read_and_written_as_version_00(header, read):
    assert traces.parsed(header) == read
    assert traces.trace_id(read) == TRACE


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "00",
        PARENT + "-more",
        PARENT + " ",
        " " + PARENT,
        PARENT.upper(),
        "ff" + PARENT[2:],
        "01" + PARENT[2:] + "more",
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-{TRACE}-{'0' * 16}-01",
        PARENT.replace("4bf9", "4bg9"),
        PARENT.replace("-", "_"),
        PARENT[:-1],
        PARENT + "\n",
        "é" * 55,
    ],
)
def test_what_is_malformed_begins_no_trace(header):
    assert traces.parsed(header) is None


def test_without_an_exporter_a_trace_is_passed_on_and_none_is_begun():
    tracer = Tracer()

    assert tracer.span("receive", None) is NOTHING
    assert NOTHING.trace_id is None
    with tracer.span("receive", PARENT) as span:
        assert traces.here() is span
        assert (span.context, span.trace_id) == (PARENT, TRACE)
        with tracer.span("step", traces.here().context) as inner:
            assert inner.context == PARENT
        assert traces.here() is span
    assert traces.here() is NOTHING


class Judged(Span):
    """Remembers how it ended."""

    __slots__ = ("said",)

    def __init__(self, said):
        super().__init__(PARENT)
        self.said = said

    def fail(self, code):
        self.said.append(code)

    def end(self):
        self.said.append("over")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (StepFailed("http-status", "a secret"), ["http-status", "over"]),
        (ZeroDivisionError("a secret"), ["internal", "over"]),
        (KeyboardInterrupt(), ["over"]),
    ],
)
def test_an_error_that_leaves_a_span_is_its_failure_by_its_code(error, said):
    heard: list[str] = []

    with pytest.raises(type(error)), Judged(heard):
        raise error

    assert heard == said
    assert traces.here() is NOTHING
