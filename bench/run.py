"""``python -m bench.run quick|full``: measure, print, write down.

`full` takes about ten minutes on a quiet machine and writes `docs/performance.md`, its
plot and its numbers; `quick` takes about one and writes to `build/bench` alone.
"""

import json
import os
import platform
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import load, report, scenes
from bench.rates import BASE, Rates, Target, interleaved
from bench.servers import ROOT, Server, Tenant

LIGHT = {"id": "note", "uses": "set", "with": {"value": 1}}
SLUICE, ACCEPT, BARE = "Sluice, three steps", "Sluice, one step", "bench.bare:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much is measured."""

    sizes: tuple[int, ...]
    rounds: int
    seconds: int
    processes: tuple[int, ...] = (1,)
    events: int = 0  # executions after which memory is read


PLANS = {
    "quick": Plan(sizes=(16, 64), rounds=2, seconds=2),
    "full": Plan(
        sizes=(1, 16, 64, 256),
        rounds=5,
        seconds=3,
        processes=(1, 2),
        events=100_000,
    ),
}


class Bench:
    """The servers side by side, and what was measured."""

    def __init__(self, plan: Plan, stack: ExitStack) -> None:
        self._plan, self._stack = plan, stack
        self._home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        self.figures: dict[str, float] = {}
        self.bodies: dict[str, scenes.Figures] = {}

    def run(self) -> Rates:
        """Measure everything."""
        targets = list(self._targets())
        ceiling = load.post(self._static(), connections=64, seconds=self._plan.seconds)
        self.figures["generator_per_second"] = ceiling.rate
        self.figures["commits_per_second"] = scenes.commits(self._plan.seconds)
        plan = self._plan
        rates = Rates(
            _shown(
                interleaved(
                    targets, plan.sizes, rounds=plan.rounds, seconds=plan.seconds
                )
            )
        )
        self._scenes(targets, rates)
        return rates

    def _targets(self) -> Iterator[Target]:
        for count in self._plan.processes:
            mark = "" if count == 1 else f", {count} processes"
            many = {"WEB_CONCURRENCY": str(count)}
            bare = self._server(f"flask{count}", f"{BARE}flask", **many)
            yield Target(f"{BASE}{mark}", bare, f"{bare.url}/hooks/token")
            if count == 1:
                least = self._server("wsgi", f"{BARE}wsgi")
                yield Target("bare WSGI", least, f"{least.url}/hooks/token")
            yield from self._sluice(f"sluice{count}", mark, **many)

    def _sluice(self, name: str, mark: str, **settings: str) -> Iterator[Target]:
        server = self._server(name, "wsgi:app", **settings)
        tenant = Tenant(server)
        if not mark:
            self._first, self._tenant = server, tenant
            self.figures["start_s"] = server.started_within
            self.figures["memory_idle_mib"] = server.memory()
            self._light = tenant.hook("Light", LIGHT)
            yield Target(ACCEPT, server, self._light)
        yield Target(f"{SLUICE}{mark}", server, tenant.hook("Three steps"))

    def _server(self, name: str, app: str, **settings: str) -> Server:
        return self._stack.enter_context(Server(self._home / name, app, **settings))

    def _static(self) -> str:
        """What answers as fast as anything can, to know the generator's own limit."""
        return self._stack.enter_context(load.ceiling(self._home / "static"))

    def _scenes(self, targets: list[Target], rates: Rates) -> None:
        plan, figures = self._plan, self.figures
        server, tenant, light = self._first, self._tenant, self._light
        [three] = [each.url for each in targets if each.name == SLUICE]
        seconds = 2 * plan.seconds
        figures |= scenes.calm(server, three, seconds)
        saturated = rates.spread(SLUICE, 16, "accepted").middle
        figures |= scenes.half(three, saturated, seconds)
        figures |= scenes.stuck(server, tenant, light, seconds)
        figures |= scenes.computing(tenant, light, seconds)
        self.bodies = dict(scenes.sizes(three, targets[0].url, plan.seconds))
        while (done := scenes.executed(server)) < plan.events:
            load.post(three, connections=16, seconds=10)
        figures["memory_after_mib"] = server.memory()
        figures["memory_after_executions"] = done


def _shown(samples: Iterator[Any]) -> Iterator[Any]:
    """Say what is going on."""
    for each in samples:
        print(
            f"{each.target:32} c={each.connections:<4} {each.accepted:7.0f}/s"
            f" finished {each.finished:6.0f}/s refused {each.refused:5.0f}/s"
            f" p50 {each.p50:6.1f} p99 {each.p99:6.1f} ms"
            f" {each.cpu:5.0f} us {each.switches:5.1f} switches",
            flush=True,
        )
        yield each


def machine() -> dict[str, str]:
    """Tell what was measured on."""
    return {
        "day": str(datetime.now(UTC).date()),
        "cores": str(os.cpu_count()),
        "system": platform.system(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "busy": f"{os.getloadavg()[0]:.1f}",
    }


def main(name: str) -> int:
    """Measure as the plan says, and write it down."""
    told = machine()
    with ExitStack() as stack:
        bench = Bench(PLANS[name], stack)
        rates = bench.run()
    found = {
        "machine": told,
        "figures": bench.figures,
        "bodies": bench.bodies,
        "samples": [asdict(each) for each in rates.samples],
    }
    folder = ROOT / ("docs" if name == "full" else "build/bench")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "performance.json").write_text(json.dumps(found, indent=1) + "\n")
    text = report.tables(told, rates, bench.figures, bench.bodies)
    (folder / "performance.svg").write_text(report.plot(rates))
    report.write(folder / "performance.md", text)
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
