"""P1, P2, P10: SIGKILL loses nothing acknowledged and repeats no finished step."""

import shutil
import sqlite3
import time
from pathlib import Path

import pytest

from tests.system import verdict
from tests.system.load import Load
from tests.system.octokit import Event
from tests.system.serving import Server, step
from tests.system.sink import Sink

pytestmark = pytest.mark.system

INSTANTS = (
    0.0,
    0.03,
    0.07,
    0.12,
    0.18,
    0.25,
)  # seconds after the load is in full swing
KILLS = len(INSTANTS)
ORDER = ("first", "second")


def finished_steps(server: Server, copy: Path) -> frozenset[str]:
    """Read from a dead server's database which steps were recorded as success."""
    shutil.copytree(server.home / "data", copy)
    [found] = copy.glob("*.db")
    database = sqlite3.connect(found)
    try:
        rows = database.execute(
            "SELECT execution_id || ':' || path FROM steps WHERE status = 'success'"
        )
        return frozenset(key for (key,) in rows)
    finally:
        database.close()


def test_six_kills_under_load_lose_nothing_and_repeat_no_finished_step(
    start, sink: Sink, payloads: list[Event], figure, tmp_path: Path
):
    server: Server = start()
    api = server.api()
    api.register()
    workflow = api.workflow(
        "Two steps",
        step("first", f"{sink.url}/first?seconds=0.02", "{{ trigger.body }}"),
        step("second", f"{sink.url}/second?seconds=0.02", "{{ steps.first.output }}"),
    )
    crashes: list[verdict.Crash] = []
    restarts: list[float] = []

    with Load(workflow["webhook_url"], payloads, clients=16) as load:
        for n, instant in enumerate(INSTANTS):
            sink.wait_for(len(sink.arrivals()) + 150, within=30)
            time.sleep(instant)
            server.kill()
            at = time.monotonic()
            crashes.append(verdict.Crash(at, finished_steps(server, tmp_path / str(n))))
            restarts.append(server.start())
        sink.wait_for(len(sink.arrivals()) + 150, within=30)
    executions = api.all_finished(within=90)

    arrivals = sink.arrivals()
    acknowledged = load.acknowledged
    assert verdict.lost(acknowledged, executions) == []
    assert verdict.unended(executions) == []
    assert verdict.unserved(acknowledged, arrivals, steps=ORDER) == []
    assert verdict.repeated(crashes, arrivals) == []
    assert verdict.overtaken(arrivals, order=ORDER) == []
    assert verdict.unbalanced(api.ledger()) == []
    assert all(crash.finished for crash in crashes)
    assert len(acknowledged) > 150 * KILLS / len(ORDER)
    assert "Traceback" not in server.written()
    again = len(arrivals) - len({each.key for each in arrivals})
    figure("kills", KILLS)
    figure("acknowledged, lost", f"{len(acknowledged)}, 0")
    figure("attempts without an answer", sum(p.status is None for p in load.log))
    figure("finished steps run again", 0)
    figure("steps in flight sent again with their key", again)
    figure("slowest restart, s", f"{max(restarts):.2f}")
