"""The one door to other people's servers."""

import ssl
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

import httpcore2

from app.connectors.inflating import Collector
from app.connectors.network import Dialing, Network
from app.connectors.outgoing import Outgoing, Request, prepared, redirected
from app.domain.context import ExecutionContext
from app.domain.errors import ServiceError, StepFailed
from app.security.addresses import AddressGuard
from app.telemetry import traces
from app.telemetry.signals import Signals
from app.telemetry.traces import Facts, Kind, Span

MAX_BODY = 1 << 20  # bytes of an opened answer
MAX_REDIRECTS = 3
MAX_HEADERS = 200  # of one answer; their bytes are bounded by httpcore2, 100 KiB
REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a server answered, whatever its status."""

    origin: str  # scheme, host and port: all that a message may show
    status: int
    headers: Mapping[str, str]  # names in lower case, repeated ones joined by ", "
    body: bytes  # decompressed


class HttpClient:
    """Calls that end when their execution ends; shared by all threads.

    Each call opens a connection of its own, so that none inherits a stale one,
    another tenant's, or another execution's stop.

    Args:
        guard: which addresses may be connected to.
        max_body: greatest size of an answer, bytes after decompression.
        user_agent: who we say we are, for example ``Sluice/1.0``.
        dialing: how connections are made.
        signals: are told of every call; the other side is told of the trace.
    """

    def __init__(
        self,
        guard: AddressGuard,
        *,
        max_body: int = MAX_BODY,
        user_agent: str = "Sluice",
        dialing: Dialing | None = None,
        signals: Signals | None = None,
    ) -> None:
        self._guard = guard
        self._max_body = max_body
        self._user_agent = user_agent
        self._dialing = dialing or Dialing()
        self._signals = signals or Signals()

    def call(self, context: ExecutionContext, request: Request) -> Reply:
        """Send a request, follow up to three redirects, read the whole answer.

        The only limit on the whole is the context's deadline. When that passes
        it is `DeadlineExceeded`, and the caller, who knows whether a step or
        the execution set it, says which of them timed out. `StepFailed` with
        code `timeout` means that connecting took too long with time left.

        A proof goes no further than the origin that is called.

        Raises:
            StepFailed: `invalid-settings`, `blocked-address`, `connect-failed`,
                `timeout`, `bad-answer` or `too-large`; never for a status.
            Cancelled, Interrupted, DeadlineExceeded: from the context, within
                milliseconds, whatever the connection was doing.
        """
        context.check()
        began, outcome = time.monotonic(), "internal"
        try:
            reply = self._traced(context, prepared(request))
            outcome = f"{reply.status // 100}xx"
        except ServiceError as error:
            outcome = error.code
            raise
        finally:
            self._signals.metrics.outbound(outcome, time.monotonic() - began)
        return reply

    def _traced(self, context: ExecutionContext, outgoing: Outgoing) -> Reply:
        facts: Facts = {
            "http.request.method": outgoing.method,
            "server.address": outgoing.url.host,
            "server.port": outgoing.port,
        }
        parent = traces.here().context
        with self._signals.tracer.span(
            outgoing.method, parent, facts, kind=Kind.OUT
        ) as span:
            reply = self._follow(context, _carrying(span, outgoing))
            span.note({"http.response.status_code": reply.status})
        return reply

    def _follow(self, context: ExecutionContext, outgoing: Outgoing) -> Reply:
        for _ in range(MAX_REDIRECTS + 1):
            reply = self._exchange(context, outgoing)
            is_redirect = reply.status in REDIRECTS and "location" in reply.headers
            if not (is_redirect and outgoing.follows):
                return reply
            outgoing = redirected(outgoing, reply.status, reply.headers["location"])
        message = f"{reply.origin} redirected further than {MAX_REDIRECTS} times"
        raise StepFailed("bad-answer", message)

    def _exchange(self, context: ExecutionContext, outgoing: Outgoing) -> Reply:
        connection = httpcore2.HTTPConnection(
            _url_of(outgoing).origin,
            ssl_context=self._dialing.tls,
            network_backend=Network(context, self._guard, self._dialing),
        )
        try:
            with _translated(outgoing.origin):
                answer = connection.handle_request(self._wire(outgoing))
                return self._read(outgoing, answer)
        finally:
            connection.close()

    def _wire(self, outgoing: Outgoing) -> httpcore2.Request:
        headers = {
            "host": outgoing.url.netloc.decode("ascii"),
            "user-agent": self._user_agent,
            "accept": "*/*",
            "accept-encoding": "gzip",
            **outgoing.sent_headers,
            **_length(outgoing),
            "connection": "close",
        }
        return httpcore2.Request(
            outgoing.method,
            _url_of(outgoing),
            headers=list(headers.items()),
            content=outgoing.content,
            extensions={"timeout": {"connect": self._dialing.limit}},
        )

    def _read(self, outgoing: Outgoing, answer: httpcore2.Response) -> Reply:
        if len(answer.headers) > MAX_HEADERS:
            message = f"{outgoing.origin} answered with more than {MAX_HEADERS} headers"
            raise StepFailed("bad-answer", message)
        headers = _joined(answer.headers)
        collector = Collector(
            limit=self._max_body,
            coding=headers.get("content-encoding", "").strip().lower(),
            origin=outgoing.origin,
        )
        for piece in answer.iter_stream():
            collector.add(piece)
        return Reply(
            origin=outgoing.origin,
            status=answer.status,
            headers=headers,
            body=collector.body(),
        )


def _carrying(span: Span, outgoing: Outgoing) -> Outgoing:
    """Tell the other side which trace it is in, unless its caller says otherwise."""
    if span.context is None or traces.HEADER in outgoing.headers:
        return outgoing
    headers = {**outgoing.headers, traces.HEADER: span.context}
    return replace(outgoing, headers=headers)


def _url_of(outgoing: Outgoing) -> httpcore2.URL:
    return httpcore2.URL(
        scheme=outgoing.url.raw_scheme,
        host=outgoing.url.raw_host,
        port=outgoing.port,
        target=outgoing.sent_url.raw_path,
    )


def _length(outgoing: Outgoing) -> dict[str, str]:
    if outgoing.content is not None:
        return {"content-length": str(len(outgoing.content))}
    expected = outgoing.method in ("POST", "PUT", "PATCH")
    return {"content-length": "0"} if expected else {}


def _joined(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in raw:
        key, text = name.decode("ascii").lower(), value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers


@contextmanager
def _translated(origin: str) -> Iterator[None]:
    """Say in the project's words what went wrong on the way to and from a server."""
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        message = f"the certificate of {origin} is not valid: {error.verify_message}"
        raise StepFailed("connect-failed", message) from error
    except TimeoutError as error:
        message = f"{origin} did not finish the TLS handshake in time"
        raise StepFailed("timeout", message, retryable=True) from error
    except (OSError, httpcore2.NetworkError) as error:
        message = f"the connection to {origin} broke"
        raise StepFailed("connect-failed", message, retryable=True) from error
    except httpcore2.LocalProtocolError as error:
        message = f"the request to {origin} cannot be written as HTTP/1.1"
        raise StepFailed("invalid-settings", message) from error
    except httpcore2.RemoteProtocolError as error:
        message = f"{origin} hung up early, or answered what is not HTTP/1.1"
        raise StepFailed("bad-answer", message, retryable=True) from error
