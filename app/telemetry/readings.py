"""What is read off the process every second, rather than counted as it happens."""

import threading
from collections.abc import Mapping
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector

# How the gauges of several processes become one; those of the dead go.
Mode = Literal["livesum", "livemax", "livemin", "livemostrecent"]

GAUGES: Mapping[str, tuple[Mode, str]] = {
    "sluice_pool_workers": ("livesum", "Threads that execute"),
    "sluice_pool_busy": ("livesum", "Threads that execute something now"),
    "sluice_pool_queued": ("livesum", "Executions with a seat that wait for a thread"),
    "sluice_pool_capacity": ("livesum", "Seats, taken or not"),
    "sluice_processes": ("livesum", "Processes of this server"),
    "sluice_backlog_executions": (
        "livemostrecent",
        "Owed work: queued executions without a seat, counted up to 10,000",
    ),
    "sluice_backlog_oldest_seconds": (
        "livemax",
        "Age of the oldest queued execution, with a seat or without",
    ),
    "sluice_execution_oldest_seconds": (
        "livemax",
        "For how long the execution runs that has been on its thread the longest",
    ),
    "sluice_execution_limit_seconds": ("livemax", "How long an execution may run"),
    "sluice_store_queue": ("livesum", "Changes that wait to be committed"),
    "sluice_store_readers_busy": ("livesum", "Connections that read now"),
    "sluice_rings_waiting": (
        "livemostrecent",
        "Rings in Redis that no worker has answered, when last one was sent",
    ),
    "sluice_disk_free_bytes": ("livemostrecent", "Free on the data directory's disk"),
    "sluice_disk_size_bytes": ("livemostrecent", "Size of the data directory's disk"),
    "process_resident_memory_bytes": ("livesum", "Resident memory of all processes"),
    "process_virtual_memory_bytes": ("livesum", "Virtual memory of all processes"),
    "process_start_time_seconds": ("livemin", "Start of the oldest process, Unix time"),
    "process_open_fds": ("livemax", "Open files of the process that has the most"),
    "process_max_fds": ("livemin", "Files that a process may open"),
}
TOTALS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "process_cpu_seconds_total": ("User and system CPU time of all processes", ()),
    "sluice_refused_requests_total": (
        "Requests that the event loop refused, before any workflow was known",
        ("status",),
    ),
    "sluice_evicted_connections_total": (
        "Idle connections closed to make room for new ones",
        (),
    ),
    "sluice_dropped_log_lines_total": ("Log lines lost while stdout was blocked", ()),
}


class Readings:
    """The gauges, and the counters that follow a total kept elsewhere."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._lock = threading.Lock()
        self._seen: dict[tuple[str, ...], float] = {}
        self._process = ProcessCollector(registry=None)
        self._gauges = {
            name: Gauge(name, told, multiprocess_mode=mode, registry=registry)
            for name, (mode, told) in GAUGES.items()
        }
        self._totals = {
            name: Counter(name, told, labels, registry=registry)
            for name, (told, labels) in TOTALS.items()
        }

    def show(self, readings: Mapping[str, float]) -> None:
        """Set gauges."""
        for name, value in readings.items():
            self._gauges[name].set(value)

    def measure_process(self) -> None:
        """Read what the system knows of this process."""
        for family in self._process.collect():
            for sample in family.samples:
                if sample.name in TOTALS:
                    self.follow(sample.name, sample.value)
                else:
                    self._gauges[sample.name].set(sample.value)

    def follow(self, total: str, value: float, *labels: str) -> None:
        """Add to a counter what has come to a total since the last time.

        Of two threads that measure at once, the one that read first may come last.
        """
        with self._lock:
            seen = self._seen.get((total, *labels), 0.0)
            grown = max(0.0, value - seen)
            self._seen[total, *labels] = seen + grown
        counter = self._totals[total]
        (counter.labels(*labels) if labels else counter).inc(grown)
