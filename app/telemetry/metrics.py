"""Metrics for Prometheus, each declared once; no ids of tenants or workflows.

In a server of several processes each keeps its numbers in a file of its own, in a
folder that all share, and whoever is asked tells the sum: docs/observability.md.
"""

import os
from collections.abc import Mapping

from prometheus_client import CollectorRegistry, PlatformCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics import disable_created_metrics
from prometheus_client.multiprocess import MultiProcessCollector

from app.telemetry.numbers import Counter, Histogram, Sheet
from app.telemetry.readings import Readings

FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # prometheus_client's; the server sets it
SECONDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
CHANGES = (1, 2, 4, 8, 16, 32, 64, 128)
WEBHOOKS = (
    "accepted",
    "duplicate",
    "failed",
    "handshake",
    "rejected",
    "shed",
    "unknown",
    "unverified",
)
ENDS = ("success", "failed", "cancelled")
SWEEPS = ("dedupe", "invitations", "recovery", "sessions", "tries")


class Metrics:
    """What one process counts, and what all of its server have counted.

    What can be foreseen begins at 0, so that a first event is an increase.
    """

    def __init__(self) -> None:
        disable_created_metrics()  # several processes could not agree on them
        self._registry = CollectorRegistry()
        self._platform = PlatformCollector(registry=None)
        self._readings = Readings(self._registry)
        self._counts = Sheet("counter", os.environ.get(FOLDER))
        self._amounts = Sheet("histogram", os.environ.get(FOLDER))
        self._webhooks = self._counter(
            "webhooks", "Webhook requests by outcome", "outcome", known=WEBHOOKS
        )
        self._unverified = self._counter(
            "signatures_refused",
            "Webhook requests whose sender could not be verified",
            "scheme",
            "reason",
        )
        self._executions = self._counter(
            "executions", "Executions that ended", "status", known=ENDS
        )
        self._execution_seconds = self._histogram(
            "execution_seconds", "First start to end of an execution"
        )
        self._queue_seconds = self._histogram(
            "queue_seconds", "Receipt to first start of an execution"
        )
        self._step_seconds = self._histogram(
            "step_seconds", "One attempt of a step", "uses"
        )
        self._requests = self._counter(
            "http_requests", "HTTP requests", "route", "method", "status"
        )
        self._request_seconds = self._histogram(
            "http_request_seconds", "HTTP request to answer"
        )
        self._outbound = self._counter(
            "outbound_calls", "Calls of workflows to other servers", "outcome"
        )
        self._outbound_seconds = self._histogram(
            "outbound_seconds", "One call of a workflow, redirects included"
        )
        self._commits = self._histogram(
            "store_commit_seconds", "One group commit, its wait for the lock included"
        )
        self._commit_changes = self._histogram(
            "store_commit_changes", "Changes in one group commit", buckets=CHANGES
        )
        self._failed_commits = self._counter(
            "store_failed_commits", "Group commits that failed; their events got 503"
        )
        self._taken_over = self._counter(
            "taken_over", "Executions taken over from processes that died"
        )
        self._handed_back = self._counter(
            "handed_back", "Executions that became owed work while they ran"
        )
        self._lost = self._counter(
            "leases_lost", "Executions that went on elsewhere while they ran here"
        )
        self._rings = self._counter(
            "rings",
            "Rings for workers: sent to Redis, failed, or dropped while it was away",
            "outcome",
        )
        self._swept = self._counter(
            "swept",
            "What sweeps found: rows that had expired, or executions without an owner",
            "sweep",
            known=SWEEPS,
        )
        self._sweep_seconds = self._histogram(
            "sweep_seconds", "One sweep that came to its end", "sweep", known=SWEEPS
        )
        self._overstayed = self._counter(
            "drain_overruns", "Executions that a stop had to interrupt"
        )

    def webhook(self, outcome: str) -> None:
        """Count one request to a webhook."""
        self._webhooks.add(outcome)

    def unverified(self, scheme: str, reason: str) -> None:
        """Count one request whose signature was refused, and why."""
        self._unverified.add(scheme, reason)

    def executed(self, status: str, seconds: float) -> None:
        """Count one execution that ended, `seconds` after its first start."""
        self._executions.add(status)
        self._execution_seconds.observe(seconds)

    def started(self, seconds: float) -> None:
        """Note how long an execution was queued before its first start."""
        self._queue_seconds.observe(seconds)

    def step(self, uses: str, seconds: float) -> None:
        """Note how long one attempt of a step took."""
        self._step_seconds.observe(seconds, uses)

    def http_request(
        self, route: str, method: str, status: int, seconds: float
    ) -> None:
        """Count one answered request; `route` is the rule, never the path."""
        self._requests.add(route, method, str(status))
        self._request_seconds.observe(seconds)

    def outbound(self, outcome: str, seconds: float) -> None:
        """Count one call: `outcome` is a class of statuses or a failure code."""
        self._outbound.add(outcome)
        self._outbound_seconds.observe(seconds)

    def committed(self, changes: int, seconds: float) -> None:
        """Note one group commit."""
        self._commits.observe(seconds)
        self._commit_changes.observe(changes)

    def commit_failed(self) -> None:
        """Count one group commit of which nothing was kept."""
        self._failed_commits.add()

    def taken_over(self, executions: int) -> None:
        """Count what a dead process left."""
        self._taken_over.add(amount=executions)

    def handed_back(self) -> None:
        """Count one execution that goes on later, here or in another process."""
        self._handed_back.add()

    def lost(self) -> None:
        """Count one execution that somebody else decided about while it ran."""
        self._lost.add()

    def swept(self, sweep: str, found: int, seconds: float) -> None:
        """Note one sweep of those in `SWEEPS`; each is made about once a second."""
        self._swept.add(sweep, amount=found)
        self._sweep_seconds.observe(seconds, sweep)

    def overstayed(self, executions: int) -> None:
        """Count what still ran when a stop had to end."""
        self._overstayed.add(amount=executions)

    def rung(self, outcome: str, rings: int) -> None:
        """Count rings: `sent`, `failed`, or `dropped` soon after one that failed."""
        self._rings.add(outcome, amount=rings)

    def unheard(self, rings: int) -> None:
        """Note how many rings wait in Redis."""
        self._readings.show({"sluice_rings_waiting": rings})

    def show(self, readings: Mapping[str, float]) -> None:
        """Set gauges, by their names in `readings.GAUGES`."""
        self._readings.show(readings)

    def follow(self, total: str, value: float, *labels: str) -> None:
        """Raise a counter to what this process has counted elsewhere."""
        self._readings.follow(total, value, *labels)

    def measure_process(self) -> None:
        """Read memory, files and CPU time of this process."""
        self._readings.measure_process()

    def render(self) -> tuple[bytes, str]:
        """Return the text exposition and its content type."""
        return generate_latest(self._told()), CONTENT_TYPE_LATEST

    def _told(self) -> CollectorRegistry:
        told = CollectorRegistry()
        told.register(self._platform)
        if FOLDER in os.environ:
            MultiProcessCollector(told)
        else:
            told.register(self._registry)
        return told

    def _counter(
        self, name: str, told: str, *labels: str, known: tuple[str, ...] = ()
    ) -> Counter:
        counter = Counter(self._counts, f"sluice_{name}", told, labels)
        for value in known:
            counter.begin(value)
        self._registry.register(counter)
        return counter

    def _histogram(
        self,
        name: str,
        told: str,
        *labels: str,
        known: tuple[str, ...] = (),
        buckets: tuple[float, ...] = SECONDS,
    ) -> Histogram:
        full = f"sluice_{name}"
        histogram = Histogram(self._amounts, full, told, labels, bounds=buckets)
        for value in known:
            histogram.begin(value)
        self._registry.register(histogram)
        return histogram
