"""Metrics for Prometheus, each declared once; no ids of tenants or workflows."""

from collections.abc import Callable
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

SECONDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


class Metrics:
    """Counters of one process."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        registry = self._registry
        self._webhooks = Counter(
            "sluice_webhooks",
            "Webhook requests by outcome",
            ["outcome"],
            registry=registry,
        )
        self._unverified = Counter(
            "sluice_signatures_refused",
            "Webhook requests whose sender could not be verified",
            ["scheme", "reason"],
            registry=registry,
        )
        self._executions = Counter(
            "sluice_executions", "Executions that ended", ["status"], registry=registry
        )
        self._execution_seconds = Histogram(
            "sluice_execution_seconds",
            "First start to end of an execution",
            buckets=SECONDS,
            registry=registry,
        )
        self._queue_seconds = Histogram(
            "sluice_queue_seconds",
            "Receipt to first start of an execution",
            buckets=SECONDS,
            registry=registry,
        )
        self._step_seconds = Histogram(
            "sluice_step_seconds",
            "One attempt of a step",
            ["uses"],
            buckets=SECONDS,
            registry=registry,
        )
        self._requests = Counter(
            "sluice_http_requests",
            "HTTP requests",
            ["route", "method", "status"],
            registry=registry,
        )
        self._request_seconds = Histogram(
            "sluice_http_request_seconds",
            "HTTP request to answer",
            buckets=SECONDS,
            registry=registry,
        )

    def webhook(self, outcome: str) -> None:
        """Count one request to a webhook."""
        self._webhooks.labels(outcome).inc()

    def unverified(self, scheme: str, reason: str) -> None:
        """Count one request whose signature was refused, and why."""
        self._unverified.labels(scheme, reason).inc()

    def executed(self, status: str, seconds: float) -> None:
        """Count one execution that ended, `seconds` after its first start."""
        self._executions.labels(status).inc()
        self._execution_seconds.observe(seconds)

    def started(self, seconds: float) -> None:
        """Note how long an execution was queued before its first start."""
        self._queue_seconds.observe(seconds)

    def step(self, uses: str, seconds: float) -> None:
        """Note how long one attempt of a step took."""
        self._step_seconds.labels(uses).observe(seconds)

    def http_request(
        self, route: str, method: str, status: int, seconds: float
    ) -> None:
        """Count one answered request; `route` is the rule, never the path."""
        self._requests.labels(route, method, str(status)).inc()
        self._request_seconds.observe(seconds)

    def pool(self, stats: Callable[[], object]) -> None:
        """Read the pool's gauges, fields of `stats()`, at each scrape."""
        for name in ("workers", "busy", "queued", "capacity"):
            gauge = Gauge(
                f"sluice_pool_{name}", f"Pool: {name}", registry=self._registry
            )
            gauge.set_function(partial(_field, stats, name))

    def render(self) -> tuple[bytes, str]:
        """Return the text exposition and its content type."""
        return generate_latest(self._registry), CONTENT_TYPE_LATEST


def _field(stats: Callable[[], object], name: str) -> float:
    return float(getattr(stats(), name))
