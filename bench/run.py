"""``python -m bench.run quick|full``: measure, print, write down.

`full` takes about ten minutes on a quiet machine and writes `docs/performance.md`, its
plot and its numbers; `quick` is one round and writes to `build/bench` alone.
"""

import json
import os
import platform
import sqlite3
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench import load, report, scenes, stores
from bench.goals import ACCEPT, EXECUTE, ON_POSTGRESQL, TWO, WITH_WORKER
from bench.rates import BASE, Rates, Sample, Spread, Target, interleaved
from bench.servers import ROOT, Pair, Server, Tenant

LIGHT = {"id": "note", "uses": "set", "with": {"value": 1}}
BARE = "bench.bare:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much is measured."""

    sizes: tuple[int, ...]
    rounds: int
    seconds: int
    processes: tuple[int, ...] = (1,)
    stores: tuple[str, ...] = ("",)
    has_worker: bool = False  # whether one more installation has a worker and Redis
    events: int = 0  # executions after which memory is read


PLANS = {
    "quick": Plan(sizes=(16, 64), rounds=1, seconds=2),
    "full": Plan(
        sizes=(1, 16, 64, 256),
        rounds=5,
        seconds=2,
        processes=(1, 2),
        stores=("", ON_POSTGRESQL),
        has_worker=True,
        events=100_000,
    ),
}


class Bench:
    """The servers side by side, and what was measured."""

    def __init__(self, plan: Plan, stack: ExitStack) -> None:
        self._plan, self._stack = plan, stack
        self._home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        self._rounds: list[scenes.Figures] = []
        self.bodies: dict[str, scenes.Figures] = {}

    @property
    def figures(self) -> dict[str, Spread]:
        """Each figure over all rounds."""
        keys = dict.fromkeys(key for each in self._rounds for key in each)
        return {
            key: Spread.of(each[key] for each in self._rounds if key in each)
            for key in keys
        }

    def run(self) -> Rates:
        """Measure everything, round after round."""
        targets, plan = [*self._targets()], self._plan
        self._costly, ceiling = scenes.costly(self._tenant), self._static()
        rates = Rates([])
        for number in range(plan.rounds):
            told = interleaved(targets, plan.sizes, number=number, seconds=plan.seconds)
            rates.samples += _shown(told)
            self._rounds.append(self._round(targets, rates, ceiling, number))
        self._rounds.append(self._at_the_end(targets))
        self.bodies = dict(self._sizes(targets))
        return rates

    def _targets(self) -> Iterator[Target]:
        for count in self._plan.processes:
            mark = "" if count == 1 else TWO
            many = {"WEB_CONCURRENCY": str(count)}
            bare = self._server(f"flask{count}", f"{BARE}flask", **many)
            yield Target(f"{BASE}{mark}", bare, f"{bare.url}/hooks/token", count == 1)
            if count == 1:
                least = self._server("wsgi", f"{BARE}wsgi")
                yield Target("bare WSGI", least, f"{least.url}/hooks/token")
            for store in self._plan.stores:
                yield from self._sluice(count, store, mark, many)
        if self._plan.has_worker:
            yield self._with_worker()

    def _sluice(
        self, count: int, store: str, mark: str, settings: dict[str, str]
    ) -> Iterator[Target]:
        if store:
            settings = {**settings, "DATABASE_URL": stores.database(self._stack, count)}
        server = self._server(f"sluice{store}{count}", "wsgi:app", **settings)
        tenant = Tenant(server)
        if not (store or mark):
            self._first, self._tenant = server, tenant
            self._rounds.append({"memory_idle_mib": server.memory()})
            self._light = tenant.hook("Light", LIGHT)
            yield Target(ACCEPT, server, self._light)
        hook = tenant.hook("Three steps")
        yield Target(f"{EXECUTE}{store}{mark}", server, hook, not (store or mark))

    def _with_worker(self) -> Target:
        settings = {
            "DATABASE_URL": stores.database(self._stack, 0),
            "REDIS_URL": stores.broker(self._stack),
        }
        pair = self._stack.enter_context(Pair(self._home / "pair", **settings))
        hook = Tenant(pair).hook("Three steps")
        return Target(f"{EXECUTE}{WITH_WORKER}", pair, hook)

    def _server(self, name: str, app: str, **settings: str) -> Server:
        return self._stack.enter_context(Server(self._home / name, app, **settings))

    def _static(self) -> str:
        """What answers as fast as anything can, to know the generator's own limit."""
        return self._stack.enter_context(load.ceiling(self._home / "static"))

    def _round(
        self, targets: list[Target], rates: Rates, ceiling: str, number: int
    ) -> scenes.Figures:
        """Measure once what is no rate of a target."""
        seconds, server, tenant = self._plan.seconds, self._first, self._tenant
        three, light = _url(targets, EXECUTE), self._light
        saturated = rates.of(EXECUTE, 16)[-1].accepted
        static = load.post(ceiling, connections=64, seconds=seconds)
        with Server(self._home / f"start{number}") as fresh:
            started = fresh.started_within
        return {
            "generator_per_second": static.rate,
            "commits_per_second": scenes.commits(seconds),
            "start_s": started,
            **scenes.calm(server, three, seconds),
            **scenes.half(three, saturated, seconds),
            **scenes.stuck(server, tenant, light, seconds),
            **scenes.computing(tenant, light, self._costly, 2 * seconds),
        }

    def _sizes(self, targets: list[Target]) -> Iterator[tuple[str, scenes.Figures]]:
        hook, base = _url(targets, EXECUTE), _url(targets, BASE)
        return scenes.sizes(hook, base, self._plan.seconds)

    def _at_the_end(self, targets: list[Target]) -> scenes.Figures:
        """Read how much memory is taken when so many executions have run."""
        if not self._plan.events:
            return {}
        while (done := scenes.executed(self._first)) < self._plan.events:
            load.post(_url(targets, EXECUTE), connections=16, seconds=10)
        memory = self._first.memory()
        return {"memory_after_mib": memory, "memory_after_executions": done}


def _url(targets: list[Target], name: str) -> str:
    [found] = [each.url for each in targets if each.name == name]
    return found


def _shown(samples: Iterable[Sample]) -> Iterator[Sample]:
    """Say what is going on."""
    for each in samples:
        print(
            f"{each.round + 1} {each.target:34} c={each.connections:<4}"
            f" {each.accepted:7.0f}/s"
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
        "figures": {key: asdict(each) for key, each in bench.figures.items()},
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
