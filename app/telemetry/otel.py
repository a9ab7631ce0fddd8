"""Spans that are recorded and sent by OTLP over HTTP, in protobuf.

Imported only when an endpoint is set: OpenTelemetry's packages cost 0.3 s and some
memory. Its own environment variables say what is sampled and sent.
"""

import logging
import threading
import time
from collections.abc import Sequence
from datetime import datetime

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)
from opentelemetry.trace import Span as OtelSpan

from app.domain.times import to_ms
from app.telemetry.traces import NONE, Facts, Kind, Span, Tracer

log = logging.getLogger(__name__)
KINDS = {
    Kind.INSIDE: SpanKind.INTERNAL,
    Kind.IN: SpanKind.SERVER,
    Kind.OUT: SpanKind.CLIENT,
}
NANOSECONDS = 1_000_000  # of a millisecond
LINKS = 16  # traces that a group commit names, at most
PATIENCE = 0.75  # seconds that a stop waits for the last spans to be sent


class Recorded(Span):
    """A span of OpenTelemetry's."""

    __slots__ = ("_span",)

    def __init__(self, span: OtelSpan, parent: str | None) -> None:
        found = span.get_span_context()
        super().__init__(_written(found) if found.is_valid else parent)
        self._span = span

    def note(self, facts: Facts) -> None:
        if self._span.is_recording():
            self._span.set_attributes(_known(facts))

    def fail(self, code: str) -> None:
        if self._span.is_recording():
            self._span.set_attribute("error.type", code)
            self._span.set_status(StatusCode.ERROR)

    def end(self) -> None:
        self._span.end()


class Recorder(Tracer):
    """Records spans, and sends them from a thread of its own.

    Args:
        endpoint: of a collector, without ``/v1/traces``.
        version: of this service.
    """

    def __init__(self, endpoint: str, *, version: str) -> None:
        self._endpoint = f"{endpoint.rstrip('/')}/v1/traces"
        own = Resource({"service.name": "sluice", "service.version": version})
        self._provider = TracerProvider(
            resource=own.merge(OTELResourceDetector().detect()), shutdown_on_exit=False
        )
        self._tracer = self._provider.get_tracer("sluice", version)

    def start(self) -> None:
        self._exporter = OTLPSpanExporter(self._endpoint)
        self._provider.add_span_processor(BatchSpanProcessor(self._exporter))

    def stop(self) -> None:
        # the SDK would wait for 30 s, which is more than a stop may take
        sending = threading.Thread(target=self._provider.shutdown, daemon=True)
        sending.start()
        sending.join(PATIENCE)
        if sending.is_alive():
            log.warning("Last spans not sent")
            self._exporter.shutdown()  # tries no more

    def span(
        self,
        name: str,
        parent: str | None,
        facts: Facts = NONE,
        *,
        kind: Kind = Kind.INSIDE,
        began: datetime | None = None,
    ) -> Span:
        span = self._tracer.start_span(
            name,
            context=set_span_in_context(NonRecordingSpan(_read(parent))),
            kind=KINDS[kind],
            attributes=_known(facts),
            start_time=None if began is None else to_ms(began) * NANOSECONDS,
        )
        return Recorded(span, parent)

    def committed(self, changes: int, seconds: float, contexts: Sequence[str]) -> None:
        now = time.time_ns()
        self._tracer.start_span(
            "commit",
            context=set_span_in_context(NonRecordingSpan(_read(None))),
            attributes={"sluice.changes": changes},
            links=[Link(_read(each)) for each in contexts[:LINKS]],
            start_time=now - round(seconds * 1e9),
        ).end(now)


def _known(facts: Facts) -> dict[str, str | int | float | bool]:
    return {name: value for name, value in facts.items() if value is not None}


def _read(context: str | None) -> SpanContext:
    if context is None:
        return SpanContext(0, 0, is_remote=False)
    _, trace, parent, flags = context.split("-")
    return SpanContext(
        int(trace, 16),
        int(parent, 16),
        is_remote=True,
        trace_flags=TraceFlags(int(flags, 16)),
    )


def _written(context: SpanContext) -> str:
    return (
        f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
    )
