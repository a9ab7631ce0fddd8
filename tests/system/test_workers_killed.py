"""P1, P2, P10 on several machines: whatever is killed, what was promised is kept.

The judge is another program, which reads what was written down (`judge.py`).
"""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.services.postgres import Postgres
from tests.services.redis import Redis
from tests.system import judge
from tests.system.client import post
from tests.system.fleet import Fleet, at, fleet, write_lines
from tests.system.load import Load
from tests.system.octokit import Event
from tests.system.serving import ROOT, Server, Worker, step
from tests.system.sink import Arrival, Sink
from tests.system.waiting import eventually

pytestmark = pytest.mark.system

LEASE = 5.0  # seconds, where something waits for its end
CALM = 1.2  # seconds of load between two blows
FINAL = 60.0  # seconds from the last restart until nothing may be unfinished


class Harness:
    """Two servers and two workers, and everything that can be done to them."""

    def __init__(
        self, machines: Fleet, postgres: Postgres, redis: Redis, database: str
    ) -> None:
        self.machines = machines
        self.webs = [machines.web(), machines.web()]
        self.workers = [machines.worker(), machines.worker()]
        self._postgres, self._redis = postgres, redis
        self._database = database
        self.marks: list[dict[str, Any]] = []

    def blows(self) -> dict[str, Callable[[], None]]:
        """Name each blow; every one leaves all running again."""
        first, second = self.workers
        return {
            "SIGKILL of a worker": lambda: self._kill(first),
            "SIGKILL of a server": lambda: self._kill(self.webs[0]),
            "Redis killed, nothing kept": self._kill_redis,
            "SIGKILL of both workers": lambda: self._kill(first, second),
            "Redis frozen for 2 s": self._freeze_redis,
            "PostgreSQL restarted": lambda: self._stop_database(signal.SIGINT),
            "Redis emptied": lambda: self._say("FLUSHALL"),
            "PostgreSQL stopped at once": lambda: self._stop_database(signal.SIGQUIT),
            "SIGKILL of one of each": lambda: self._kill(self.webs[1], second),
        }

    def mark(self) -> None:
        """Write down what was finished before this instant."""
        finished = judge.finished(self._database)
        self.marks.append({"at": time.monotonic(), "finished": finished})

    def _kill(self, *several: Server | Worker) -> None:
        for each in several:
            each.kill()
        self.mark()
        self.machines.mend()

    def _kill_redis(self) -> None:
        self._redis.kill()
        self.mark()
        time.sleep(1)
        self._redis.start()

    def _freeze_redis(self) -> None:
        self._redis.send(signal.SIGSTOP)
        self.mark()
        time.sleep(2)
        self._redis.send(signal.SIGCONT)

    def _say(self, command: str) -> None:
        assert self._redis.say(command) == "+OK"
        self.mark()

    def _stop_database(self, how: signal.Signals) -> None:
        self._postgres.stop(how)
        time.sleep(0.5)
        self._postgres.start()
        self.mark()


def test_whatever_is_killed_nothing_is_lost_and_no_finished_step_runs_again(  # noqa: PLR0913, PLR0917 - fixtures
    own_postgres: Postgres,
    redis: Redis,
    sink: Sink,
    payloads: list[Event],
    tmp_path: Path,
    figure,
):
    with fleet(
        tmp_path / "killed", own_postgres, redis, SLUICE_LEASE=str(LEASE)
    ) as machines:
        database = machines.database
        harness = Harness(machines, own_postgres, redis, database)
        api = harness.webs[0].api()
        api.register()
        workflow = api.workflow(
            "Two steps",
            step("first", f"{sink.url}/first?seconds=0.02", "{{ trigger.body }}"),
            step(
                "second", f"{sink.url}/second?seconds=0.02", "{{ steps.first.output }}"
            ),
        )
        one, two = (
            Load(at(each, workflow), payloads, clients=3) for each in harness.webs
        )
        with one, two:
            for blow in harness.blows().values():
                time.sleep(CALM)
                machines.mend()
                blow()
            restarted = time.monotonic()
            time.sleep(CALM)
        machines.mend()
        api.all_finished(within=FINAL)
        settled = time.monotonic() - restarted
        clients = [*one.log, *two.log]
        files = _write(tmp_path, clients, sink.arrivals(), harness.marks)
        told = _judge(*files, database)

    assert told["breaches"] == []
    assert told["acknowledged"] > 300
    assert len(told["marks"]) == len(harness.blows())
    assert min(told["marks"]) > 0
    figure("blows", ", ".join(harness.blows()))
    figure("acknowledged, lost", f"{told['acknowledged']}, 0")
    refused = sum(each.status == 503 for each in clients)
    figure("answered 503, not answered", f"{refused}, {_unanswered(clients)}")
    figure("finished steps run again", 0)
    figure("steps in flight sent again with their key", told["sent again"])
    figure("all final after the last restart, s (goal: below 60)", f"{settled:.1f}")


def test_the_judge_finds_what_a_database_loses_that_does_not_wait_for_its_disk(
    own_postgres: Postgres, redis: Redis, sink: Sink, tmp_path: Path, figure
):
    """The negative control: with this setting there must be losses."""
    hasty = "?options=-c%20synchronous_commit%3Doff"
    own_postgres.stop()
    own_postgres.configure(wal_writer_delay="10s")
    own_postgres.start()
    with fleet(tmp_path / "hasty", own_postgres, redis, query=hasty) as machines:
        web = machines.web()
        api = web.api()
        api.register()
        workflow = api.workflow("One step", step("first", f"{sink.url}/first"))
        own_postgres.execute("CHECKPOINT")
        load = Load(at(web, workflow), [Event("push", {})], clients=3)
        with load:
            eventually(lambda: len(load.acknowledged) > 50, within=30, what="load")
            own_postgres.stop(signal.SIGQUIT)
        own_postgres.start()
        files = _write(tmp_path, load.log, sink.arrivals(), [])
        told = _judge(*files, machines.database)

    gone = [each for each in told["breaches"] if each.endswith("is gone")]
    assert gone
    figure("acknowledged, lost (above 0)", f"{told['acknowledged']}, {len(gone)}")


def test_a_worker_frozen_past_its_lease_changes_nothing_when_it_thaws(
    own_postgres: Postgres, redis: Redis, sink: Sink, tmp_path: Path, figure
):
    with fleet(
        tmp_path / "frozen", own_postgres, redis, SLUICE_LEASE=str(LEASE)
    ) as machines:
        web, frozen = machines.web(), machines.worker()
        api = web.api()
        api.register()
        hold = api.workflow(
            "Hold",
            step("first", f"{sink.url}/first"),
            step("second", f"{sink.url}/second?held=1"),
        )
        held = [_accepted(at(web, hold)) for _ in range(5)]
        eventually(lambda: len(sink.at("/second")) == 5, within=20, what="five run")

        frozen.send(signal.SIGSTOP)
        began = time.monotonic()
        machines.worker()
        eventually(lambda: len(sink.at("/second")) == 10, within=30, what="they move")
        moved = time.monotonic() - began
        sink.release()
        before = {each["id"]: each for each in api.all_finished(within=30)}
        frozen.send(signal.SIGCONT)

        assert frozen.wait(within=30) == 1
        assert frozen.events("Taken for dead by others")
        after = {each["id"]: api.execution(each["id"]) for each in before.values()}

    assert {name: each["status"] for name, each in after.items()} == dict.fromkeys(
        held, "success"
    )
    assert {each["attempt"] for each in after.values()} == {2}
    fields = ("finished_at", "duration_ms", "attempt", "status")
    for name, each in before.items():
        assert [each[field] for field in fields] == [after[name][f] for f in fields]
    effects = {each.key for each in sink.at("/second")}
    assert effects == {f"{each}:second" for each in held}
    assert len(sink.at("/first")) == 5
    assert verdict_of(sink.arrivals()) == []
    figure(f"frozen with a lease of {LEASE:g} s: taken over after, s", f"{moved:.1f}")
    figure("its late writes that counted, effects doubled behind their keys", "0, 0")


def verdict_of(arrivals: Sequence[Arrival]) -> list[str]:
    """Name each key that came with more than one body: no receiver could drop it."""
    bodies: dict[str | None, set[bytes]] = {}
    for each in arrivals:
        bodies.setdefault(each.key, set()).add(each.body)
    return [str(key) for key, different in bodies.items() if len(different) > 1]


def _accepted(hook: str) -> str:
    answer = post(hook, {})
    assert answer.status == 202
    execution_id: str = answer.json["execution_id"]
    return execution_id


def _unanswered(clients: Sequence[Any]) -> int:
    return sum(each.status is None for each in clients)


def _write(
    folder: Path,
    clients: Sequence[Any],
    arrivals: Sequence[Arrival],
    marks: Sequence[dict[str, Any]],
) -> tuple[Path, Path, Path]:
    """Write down what clients and receiver saw, for another program to read."""
    posted = [
        {"status": each.status, "execution_id": each.execution_id} for each in clients
    ]
    seen = [
        {"at": e.at, "path": e.path, "key": e.key, "body": e.body.decode()}
        for e in arrivals
    ]
    return (
        write_lines(folder / "clients.jsonl", posted),
        write_lines(folder / "arrivals.jsonl", seen),
        write_lines(folder / "marks.jsonl", list(marks)),
    )


def _judge(clients: Path, arrivals: Path, marks: Path, database: str) -> Any:
    """Have another program judge, and return what it says."""
    command = [sys.executable, "-m", "tests.system.judge"]
    done = subprocess.run(
        [*command, str(clients), str(arrivals), str(marks), database],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode in {0, 1}, done.stderr
    told = json.loads(done.stdout)
    assert done.returncode == bool(told["breaches"])
    return told
