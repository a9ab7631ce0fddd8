"""What Sluice shall reach, and what others reach: each figure is judged by its median.

Others' figures were measured on another day, each next to a bare Flask route as well
(two cores, a signed body here and a plain one of 5 KB there), so what is compared are
ratios to bare Flask, never events a second.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bench.rates import Rates, Spread

ACCEPT, EXECUTE = "Sluice, one step", "Sluice, three steps"
TWO = ", 2 processes"
ON_POSTGRESQL = ", PostgreSQL"
WITH_WORKER = ", PostgreSQL, Redis and a worker"
OTHERS = {"n8n": {16: 0.05, 64: 0.05}, "the Go system": {16: 0.14, 64: 0.19}}
Spreads = Mapping[str, Spread]


@dataclass(frozen=True, slots=True)
class Goal:
    """A row of the table."""

    what: str
    found: Spread
    bound: float
    unit: str = "x"
    at_least: bool = True

    @property
    def is_met(self) -> bool:
        """Whether the median keeps the bound."""
        middle = self.found.middle
        return middle >= self.bound if self.at_least else middle <= self.bound


MOST = (
    ("half_p50_ms", "answer at half of the saturated rate, p50", 5, "ms"),
    ("half_p99_ms", "the same, p99", 15, "ms"),
    ("stuck_p99_ratio", "p99 while 110 executions are stuck, against idle", 1.5, "x"),
    ("computing_p99_ratio", "p99 while ten executions compute, against idle", 5, "x"),
    ("queue_to_start_p50_ms", "queue to start at low load, p50", 2, "ms"),
    ("memory_idle_mib", "memory, idle", 80, "MiB"),
    ("memory_after_mib", "memory after 100,000 executions", 100, "MiB"),
    ("stuck_memory_mib", "memory with 110 in flight", 120, "MiB"),
    ("start_s", "start to first answer", 1.2, "s"),
)


def goals(rates: Rates, figures: Spreads) -> Iterator[Goal]:
    """Judge everything that was measured."""
    sizes = [each for each in (16, 64) if each in rates.sizes]
    for size in sizes:
        told = f"{size} connections"
        yield Goal(
            f"accepted/s, {told}, against bare Flask", rates.ratio(ACCEPT, size), 0.8
        )
        done = rates.ratio(EXECUTE, size, "finished")
        yield Goal(f"three steps recorded/s, {told}, the same", done, 0.5)
        for name, bound in (("n8n", 8), ("the Go system", 3)):
            other = OTHERS[name][size]
            yield Goal(f"the latter, {told}, against {name}", done / other, bound)
    if "refusals_ratio" in figures:
        yield Goal("refusals/s against accepting", figures["refusals_ratio"], 1.5)
    for key, what, most, unit in MOST:
        if key in figures:
            yield Goal(what, figures[key], most, unit, at_least=False)
    yield from _of_two(rates, sizes)


def _of_two(rates: Rates, sizes: Sequence[int]) -> Iterator[Goal]:
    for store, bound in ((ON_POSTGRESQL, 1.2), ("", 1.0)):
        one, two = f"{EXECUTE}{store}", f"{EXECUTE}{store}{TWO}"
        if two not in rates.names:
            continue
        for size in sizes:
            more = rates.between(two, one, size, "finished")
            where = store.removeprefix(", ") or "SQLite"
            what = f"two processes against one on {where}, {size} connections"
            yield Goal(what, more, bound)
