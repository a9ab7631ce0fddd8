"""How much more several workers carry out than one, and how soon they begin."""

import signal
import statistics
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.services.postgres import Postgres
from tests.services.redis import Redis
from tests.system.client import Api, post
from tests.system.fleet import Fleet, at, fleet
from tests.system.hammer import hammer

pytestmark = [pytest.mark.system, pytest.mark.alone]

EVENTS = 300
THREADS = 2  # in a worker: few, so that two cores can show what more workers bring
STEP = {"id": "work", "uses": "delay", "with": {"seconds": 0.02}}
SPAN = (
    "SELECT count(*), max(finished_at) - min(started_at) FROM executions"
    " WHERE status = 'success' AND workflow_id = %s"
)


def rate(machines: Fleet, api: Api, workers: int, database: str) -> float:
    """Let so many workers carry out what waits; return executions a second."""
    while len(machines.workers) < workers:
        machines.worker(SLUICE_POOL_WORKERS=str(THREADS))
    workflow: Any = api.workflow(f"Work for {workers}", STEP)
    for each in machines.workers:
        each.send(signal.SIGSTOP)
    blow = hammer(at(machines.webs[0], workflow), b"{}", EVENTS)
    for each in machines.workers:
        each.send(signal.SIGCONT)
    api.all_finished(within=60)
    with psycopg.connect(database) as connection:
        counted = connection.execute(SPAN, [workflow["id"]]).fetchone()
    assert blow.statuses == {202: EVENTS}
    assert counted is not None
    done, milliseconds = counted
    assert done == EVENTS
    return float(done / (milliseconds / 1000))


def test_more_workers_carry_out_more(
    postgres: Postgres, redis: Redis, tmp_path: Path, figure
):
    settings = {"SLUICE_POOL_QUEUE": "1000", "SLUICE_LEASE": "60"}
    with fleet(tmp_path / "speed", postgres, redis, **settings) as machines:
        api = machines.web().api()
        api.register()
        database = machines.database
        rates = {n: rate(machines, api, n, database) for n in (1, 2, 4)}

    assert rates[2] > 1.2 * rates[1]
    for n, each in rates.items():
        ideal = n * THREADS / 0.02
        told = f"{each:.0f} ({ideal:.0f}), {each / rates[1]:.2f}"
        figure(f"{n} workers of {THREADS} threads: a second (ideal), to one", told)


def test_a_worker_begins_soon(postgres: Postgres, redis: Redis, tmp_path: Path, figure):
    with fleet(tmp_path / "soon", postgres, redis) as machines:
        web = machines.web()
        machines.worker()
        api = web.api()
        api.register()
        workflow = api.workflow("Work", STEP)
        hook = at(web, workflow)
        accepted = []
        for _ in range(150):
            accepted.append(post(hook, {}).json["execution_id"])
            time.sleep(0.05)
        waits = sorted(each["queue_ms"] for each in api.all_finished(within=30))

    assert len(waits) == len(accepted)
    p50, p99 = statistics.median(waits), waits[int(len(waits) * 0.99)]
    assert p50 < 500
    figure("accepted to started, p50, p99, ms", f"{p50:.0f}, {p99}")
