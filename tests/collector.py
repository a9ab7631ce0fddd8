"""A collector: takes spans by OTLP over HTTP, as protobuf, and keeps them."""

import gzip
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A span as it was sent."""

    name: str
    trace_id: str
    span_id: str
    parent_id: str
    kind: int
    began: int  # nanoseconds since 1970
    ended: int
    failed: bool
    attributes: Mapping[str, Any]
    links: tuple[str, ...]  # ids of traces
    service: Mapping[str, Any]


class Collector:
    """Serves on loopback, in threads of its own.

    Args:
        status: what it answers.
        hangs: whether it answers at all before `close`.
    """

    def __init__(self, *, status: int = 200, hangs: bool = False) -> None:
        self._changed = threading.Condition()
        self._spans: list[Taken] = []
        self.requests = 0
        self._over = threading.Event()
        self._server = ThreadingHTTPServer(
            ("127.0.0.1", 0), _handler(self, status, hangs=hangs)
        )
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    def spans(self, trace_id: str | None = None) -> list[Taken]:
        """What came so far, of one trace or of all."""
        with self._changed:
            return [each for each in self._spans if trace_id in (None, each.trace_id)]

    def wait_for(self, *names: str, trace_id: str, within: float) -> list[Taken]:
        """Wait until a trace has spans of all these names."""

        def there() -> bool:
            found = {e.name for e in self._spans if e.trace_id == trace_id}
            return found >= set(names)

        with self._changed:
            came = self._changed.wait_for(there, within)
            names_now = [(e.name, e.trace_id) for e in self._spans]
            assert came, (
                f"{names} of {trace_id} did not come in {within} s: {names_now}"
            )
        return self.spans(trace_id)

    def take(self, path: str, body: bytes) -> None:
        assert path == "/v1/traces", path
        request = ExportTraceServiceRequest.FromString(body)
        found = [
            _taken(span, _values(each.resource.attributes))
            for each in request.resource_spans
            for scope in each.scope_spans
            for span in scope.spans
        ]
        with self._changed:
            self.requests += 1
            self._spans += found
            self._changed.notify_all()

    def hang(self) -> None:
        with self._changed:
            self.requests += 1
            self._changed.notify_all()
        self._over.wait(60)


def _handler(
    collector: Collector, status: int, *, hangs: bool
) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if hangs:
                collector.hang()
                return
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            assert self.headers["Content-Type"] == "application/x-protobuf"
            collector.take(self.path, body)
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    return Handler


def _taken(span: Any, service: Mapping[str, Any]) -> Taken:
    return Taken(
        name=span.name,
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        kind=span.kind,
        began=span.start_time_unix_nano,
        ended=span.end_time_unix_nano,
        failed=span.status.code == 2,
        attributes=_values(span.attributes),
        links=tuple(each.trace_id.hex() for each in span.links),
        service=service,
    )


def _values(attributes: Any) -> dict[str, Any]:
    return {
        each.key: getattr(each.value, each.value.WhichOneof("value"))
        for each in attributes
    }
