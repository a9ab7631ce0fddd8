"""P5: a reload and an upgrade under load refuse nobody and lose nothing."""

import os
import re
import signal
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.system import stored, verdict
from tests.system.client import Api, post
from tests.system.serving import Server, step
from tests.system.sink import Sink
from tests.system.steady import Kind, Steady
from tests.system.waiting import eventually

pytestmark = pytest.mark.system

BURST = 40  # events at the moment of a change: more than there are threads


def begun(server: Server) -> int:
    """How many engines were ever started."""
    return len(server.events("Engine started"))


def newest_master(server: Server) -> int:
    """The process that began to listen last."""
    said = [each["message"] for each in server.lines()]
    listening = [each for each in said if each.startswith("Listening at: ")]
    return int(re.findall(r"\((\d+)\)", listening[-1])[0])


def kind(workflow: Any, *, keeps: bool) -> Kind:
    """A client of a workflow's hook, whose step takes no time worth mentioning."""
    hook: str = workflow["webhook_url"]
    return Kind(hook=hook, value={"seconds": 0.05}, keeps=keeps, pause=0.05)


def burst(hook: str) -> list[str]:
    """Post many events at once, so that some wait for a thread."""

    def accepted(_: int) -> str:
        answer = post(hook, {"seconds": 0.5})
        assert answer.status == 202
        execution_id: str = answer.json["execution_id"]
        return execution_id

    with ThreadPoolExecutor(BURST) as clients:
        return list(clients.map(accepted, range(BURST)))


def reload(server: Server) -> None:
    """Replace the worker, and wait until the old one has gone."""
    before = len(server.events("Drained"))
    server.send(signal.SIGHUP)
    eventually(
        lambda: len(server.events("Drained")) > before, within=30, what="it reloads"
    )


def upgrade(server: Server) -> int:
    """Replace master and worker; return the old master's exit code."""
    before = begun(server)
    server.send(signal.SIGUSR2)
    eventually(lambda: begun(server) > before, within=20, what="the new one runs")
    server.send(signal.SIGTERM)
    return server.wait()


def end(pid: int) -> None:
    """Stop a process that is nobody's child any more, and wait until it has gone."""
    os.kill(pid, signal.SIGTERM)

    def gone() -> bool:
        with suppress(FileNotFoundError):
            return " Z " in Path(f"/proc/{pid}/stat").read_text()
        return True

    eventually(gone, within=40, what="the new master ends")


def test_two_reloads_and_an_upgrade_under_load_refuse_nobody_and_lose_nothing(
    start, sink: Sink, figure
):
    server: Server = start(SLUICE_POOL_QUEUE="1000")
    api: Api = server.api()
    api.register()
    url = f"{sink.url}/told?seconds={{{{ trigger.body.seconds }}}}"
    told = api.workflow("Told", step("tell", url))
    asked = api.workflow("Asked", step("tell", url), respond="on_finish")
    hook: str = told["webhook_url"]
    load = Steady()
    posted = [load.add(6, kind(told, keeps=True)), load.add(4, kind(told, keeps=False))]
    answered = [
        load.add(2, kind(asked, keeps=True)),
        load.add(1, kind(asked, keeps=False)),
    ]

    with load:
        bursts = []
        for _ in range(2):
            bursts += burst(hook)
            reload(server)
        bursts += burst(hook)
        code = upgrade(server)
        sink.wait_for(len(sink.arrivals()) + 20, within=20)
    executions = api.all_finished(within=60)

    assert load.failures == []
    assert code == 0
    assert min(len(seen.answers) for seen in posted) > 20
    assert min(len(seen.answers) for seen in answered) > 2
    acknowledged = bursts + [
        each["execution_id"] for seen in posted for each in seen.answers
    ]
    assert verdict.lost(acknowledged, executions) == []
    assert verdict.unended(executions) == []
    keys = Counter(each.key for each in sink.arrivals())
    assert keys == dict.fromkeys((f"{each['id']}:tell" for each in executions), 1)
    assert handed_over(server) > 0
    assert all(line["interrupted"] == 0 for line in server.events("Drained"))
    assert verdict.unbalanced(api.ledger()) == []
    assert "Traceback" not in server.written()
    end(newest_master(server))
    waited = sum(len(seen.answers) for seen in answered)
    figure(
        "HUP twice and USR2: webhooks acknowledged, refused or reset",
        f"{len(acknowledged)}, 0",
    )
    figure("callers answered at the end of their run, not answered", f"{waited}, 0")
    figure("executions handed from an old process to a new one", handed_over(server))
    figure("executions that did not arrive exactly once", 0)


def test_what_an_old_process_still_runs_is_left_to_it_until_it_hands_it_over(
    start, sink: Sink, figure
):
    # Longer than a new process needs to start on a machine that others use as well.
    server: Server = start(SLUICE_DRAIN_TIMEOUT="15")
    api: Api = server.api()
    api.register()
    hold = api.workflow("Hold", step("hold", f"{sink.url}/hold?held=1"))
    held = [post(hold["webhook_url"], {}).json["execution_id"] for _ in range(5)]
    sink.wait_for(5, within=30)
    before = begun(server)

    server.send(signal.SIGHUP)
    eventually(lambda: begun(server) > before, within=30, what="the new one runs")
    api.call("POST", f"/executions/{held[0]}/cancel")
    cancelled = api.finished(held[0], within=3)
    left_alone = len(sink.arrivals())
    eventually(lambda: server.events("Drained"), within=30, what="the old one ends")
    arrivals = sink.wait_for(9, within=5)
    sink.release()
    executions = api.all_finished(within=10)

    assert cancelled["status"] == "cancelled"
    assert left_alone == 5
    assert verdict.lost(held[1:], executions) == []
    assert Counter(each.key for each in arrivals) == {
        f"{each}:hold": 1 if each == held[0] else 2 for each in held
    }
    [line] = server.events("Drained")
    assert line["interrupted"] == 4
    figure("HUP with executions that outlast the grace: moved with their key", 4)


def test_a_stop_in_the_middle_of_a_reload_loses_nothing(start, sink: Sink):
    server: Server = start()
    api: Api = server.api()
    api.register()
    slow = api.workflow("Slow", step("slow", f"{sink.url}/slow?seconds=3"))
    accepted = [post(slow["webhook_url"], {}).json["execution_id"] for _ in range(60)]
    sink.wait_for(10, within=10)
    before = begun(server)

    server.send(signal.SIGHUP)
    eventually(lambda: begun(server) > before, within=10, what="the new one runs")
    code = server.stop()

    data = server.home / "data"
    assert code == 0
    found = stored.statuses_left(data)
    assert found.keys() == {"success", "queued"}
    assert found["success"] >= 10
    again: Server = start(SLUICE_DATA_DIR=str(data))
    executions = Api(again.url, api.key).all_finished(within=60)
    assert verdict.lost(accepted, executions) == []
    keys = Counter(each.key for each in sink.arrivals())
    assert keys == dict.fromkeys((f"{each}:slow" for each in accepted), 1)


def test_a_stop_in_the_middle_of_a_reload_ends_the_new_process_beside_the_old_one(
    start, sink: Sink
):
    server: Server = start(SLUICE_DRAIN_TIMEOUT="60")
    api: Api = server.api()
    api.register()
    hold = api.workflow("Hold", step("hold", f"{sink.url}/hold?held=1", timeout=300))
    post(hold["webhook_url"], {})
    sink.wait_for(1, within=30)
    before = begun(server)
    server.send(signal.SIGHUP)
    eventually(lambda: begun(server) > before, within=30, what="the new one runs")

    server.send(signal.SIGTERM)
    drained = eventually(
        lambda: server.events("Drained"), within=30, what="the new one ends"
    )
    [meanwhile] = stored.rows(server.home / "data", "SELECT status FROM executions")
    sink.release()
    code = server.wait()

    assert [line["interrupted"] for line in drained] == [0]
    assert meanwhile == ("running",)
    assert code == 0
    assert stored.statuses_left(server.home / "data") == {"success": 1}
    assert len(server.events("Engine started")) == 2


def handed_over(server: Server) -> int:
    lines: list[dict[str, Any]] = server.events("Queued executions handed over")
    return sum(line["count"] for line in lines)
