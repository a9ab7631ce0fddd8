"""P5: who is told to stop finishes what runs, keeps what waits, and leaves in time."""

import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.system import stored, verdict
from tests.system.callers import Line, path_of
from tests.system.client import Api, post
from tests.system.serving import Server, step
from tests.system.sink import Sink
from tests.system.waiting import eventually

pytestmark = pytest.mark.system

Start = Callable[..., Server]


def data(server: Server) -> Path:
    return server.home / "data"


def registered(server: Server) -> Api:
    api = server.api()
    api.register()
    return api


def accept(workflow: Any, count: int) -> list[str]:
    """Post so many events, and return their executions."""
    answers = [post(workflow["webhook_url"], {"n": n}) for n in range(count)]
    assert {each.status for each in answers} == {202}
    return [each.json["execution_id"] for each in answers]


def successor(start: Start, before: Server, api: Api, **settings: str) -> Api:
    """Start the next process on the same data, and return its API."""
    server = start(SLUICE_DATA_DIR=str(data(before)), **settings)
    return Api(server.url, api.key)


def drained(server: Server) -> dict[str, Any]:
    [line] = server.events("Drained")
    return line


def check_each_once(sink: Sink, accepted: list[str], name: str) -> None:
    keys = Counter(each.key for each in sink.arrivals())
    assert keys == dict.fromkeys((f"{each}:{name}" for each in accepted), 1)


@pytest.mark.direct
def test_sigterm_ends_10_running_answers_the_request_in_flight_and_keeps_50_queued(
    start: Start, sink: Sink, figure
):
    server = start()
    api = registered(server)
    slow = api.workflow("Slow", step("slow", f"{sink.url}/slow?seconds=5"))
    run = f"/api/v1/workflows/{slow['id']}/run"
    key = f"Authorization: Bearer {api.key}"
    with Line(server.url) as waiting, Line(server.url) as asking:
        waiting.send("POST", run, {"wait": 20}, key, "Content-Type: application/json")
        sink.wait_for(1, within=5)
        accepted = accept(slow, 59)
        sink.wait_for(10, within=10)
        asking.sock.sendall(b"GET /api/v1/me HTTP/1.1\r\nHost: x\r\n")

        began = time.monotonic()
        server.send(signal.SIGTERM)
        eventually(lambda: server.events("Handling signal: term"), within=5, what="it")
        time.sleep(1)
        asking.sock.sendall(f"{key}\r\n\r\n".encode())
        asked, waited = asking.read(), waiting.read()
    code = server.wait()
    took = time.monotonic() - began

    assert code == 0
    assert took < 7
    assert (asked.status, asked.headers["connection"]) == (200, "close")
    assert (waited.status, waited.json["status"]) == (200, "success")
    assert stored.statuses_left(data(server)) == {"success": 10, "queued": 50}
    assert drained(server)["interrupted"] == 0
    api = successor(start, server, api, SLUICE_POOL_WORKERS="50")
    executions = api.all_finished(within=30)
    assert Counter(each["status"] for each in executions) == {"success": 60}
    check_each_once(sink, [*accepted, waited.json["id"]], "slow")
    assert verdict.unbalanced(api.ledger()) == []
    figure(
        "SIGTERM with 10 executions of 5 s running, 50 queued: exit 0 after, s",
        f"{took:.1f}",
    )
    figure(
        "ended well, still queued, each once at the receiver after the next start",
        "10, 50, 60",
    )


def test_executions_longer_than_the_grace_are_resumed_with_their_key(
    start: Start, sink: Sink, figure
):
    grace = 8
    server = start(SLUICE_DRAIN_TIMEOUT=str(grace))
    api = registered(server)
    slow = api.workflow(
        "Slow",
        step("slow", f"{sink.url}/slow?held=1"),
    )
    accepted = accept(slow, 15)
    sink.wait_for(10, within=10)
    began = time.monotonic()

    code = server.stop()

    took = time.monotonic() - began
    assert code == 0
    assert took < grace
    assert stored.statuses_left(data(server)) == {"queued": 15}
    owners = stored.left(data(server), "SELECT count(owner) FROM executions")
    assert owners == [(0,)]
    line = drained(server)
    assert (line["interrupted"], line["overstayed"]) == (10, 0)
    sink.release()
    executions = successor(start, server, api).all_finished(within=20)
    assert verdict.lost(accepted, executions) == []
    keys = Counter(each.key for each in sink.arrivals())
    assert keys.keys() == {f"{each}:slow" for each in accepted}
    assert Counter(keys.values()) == {2: 10, 1: 5}
    figure(
        f"SIGTERM with executions that outlast a grace of {grace} s: exit 0 after, s",
        f"{took:.1f}",
    )
    figure("left running in the file, resumed with the same key", "0, 10")


def test_a_second_sigterm_changes_nothing(start: Start, sink: Sink):
    server = start()
    api = registered(server)
    slow = api.workflow("Slow", step("slow", f"{sink.url}/slow?seconds=3"))
    accepted = accept(slow, 15)
    sink.wait_for(10, within=10)

    for _ in range(3):
        server.send(signal.SIGTERM)
        time.sleep(0.3)
    code = server.wait()

    assert code == 0
    assert stored.statuses_left(data(server)) == {"success": 10, "queued": 5}
    assert drained(server)["interrupted"] == 0
    executions = successor(start, server, api).all_finished(within=20)
    assert verdict.lost(accepted, executions) == []
    check_each_once(sink, accepted, "slow")


def test_a_kill_in_the_middle_of_a_drain_loses_nothing(start: Start, sink: Sink):
    server = start()
    api = registered(server)
    quick = api.workflow("Quick", step("quick", f"{sink.url}/quick"))
    slow = api.workflow("Slow", step("slow", f"{sink.url}/slow?held=1"))
    done = accept(quick, 5)
    api.all_finished(within=10)
    accepted = accept(slow, 15)
    sink.wait_for(15, within=10)

    server.send(signal.SIGTERM)
    eventually(
        lambda: server.events("Queued executions handed over"),
        within=5,
        what="it drains",
    )
    server.kill()

    assert stored.statuses_left(data(server)) == {
        "success": 5,
        "running": 10,
        "queued": 5,
    }
    sink.release()
    executions = successor(start, server, api).all_finished(within=20)
    assert verdict.lost([*done, *accepted], executions) == []
    keys = Counter(each.key for each in sink.arrivals())
    assert {keys[f"{each}:quick"] for each in done} == {1}
    assert Counter(keys[f"{each}:slow"] for each in accepted) == {2: 10, 1: 5}


def test_who_waits_for_a_run_that_is_queued_is_answered_in_the_drain(
    start: Start, sink: Sink
):
    server = start(SLUICE_POOL_WORKERS="1")
    api = registered(server)
    slow = api.workflow("Slow", step("slow", f"{sink.url}/slow?seconds=2"))
    asked = api.workflow(
        "Asked", step("asked", f"{sink.url}/asked"), respond="on_finish"
    )
    accept(slow, 5)
    sink.wait_for(1, within=5)
    with Line(server.url) as line:
        line.send("POST", path_of(asked["webhook_url"]), {})
        eventually(
            lambda: api.call("GET", "/stats")["pool"]["queued"] == 5,
            within=5,
            what="queued",
        )

        began = time.monotonic()
        server.send(signal.SIGTERM)
        answer = line.read()
    code = server.wait()

    assert (answer.status, code) == (200, 0)
    assert time.monotonic() - began < 5
    assert stored.statuses_left(data(server)) == {"success": 2, "queued": 4}


def test_who_asks_and_waits_during_the_drain_is_answered(start: Start, sink: Sink):
    server = start()
    api = registered(server)
    slow = api.workflow("Slow", step("slow", f"{sink.url}/slow?seconds=3"))
    asked = api.workflow(
        "Asked", step("asked", f"{sink.url}/asked"), respond="on_finish"
    )
    accept(slow, 1)
    sink.wait_for(1, within=5)
    with Line(server.url) as line:
        assert line.send("GET", "/health/live").read().status == 200
        began = time.monotonic()
        server.send(signal.SIGTERM)
        eventually(lambda: server.events("Handling signal: term"), within=5, what="it")
        time.sleep(0.7)
        answer = line.send("POST", path_of(asked["webhook_url"]), {}).read()
    code = server.wait()

    assert (answer.status, code) == (200, 0)
    assert time.monotonic() - began < 5


@pytest.mark.direct
def test_an_event_that_comes_during_the_drain_is_kept_for_the_next_start(
    start: Start, sink: Sink
):
    server = start()
    api = registered(server)
    slow = api.workflow("Slow", step("slow", f"{sink.url}/slow?seconds=2"))
    accepted = accept(slow, 1)
    sink.wait_for(1, within=5)
    with Line(server.url) as line, Line(server.url) as half:
        assert line.send("GET", "/health/live").read().status == 200
        path = path_of(slow["webhook_url"])
        half.sock.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\n".encode())
        server.send(signal.SIGTERM)
        eventually(
            lambda: server.events("Handling signal: term"), within=5, what="it drains"
        )
        time.sleep(0.7)
        half.sock.sendall(b"Content-Length: 2\r\n\r\n{}")
        answers = [line.send("POST", path, {}).read(), half.read()]
    code = server.wait()

    assert code == 0
    assert [each.status for each in answers] == [202, 202]
    accepted += [each.json["execution_id"] for each in answers]
    assert stored.statuses_left(data(server)) == {"success": 1, "queued": 2}
    executions = successor(start, server, api).all_finished(within=20)
    assert verdict.lost(accepted, executions) == []
    check_each_once(sink, accepted, "slow")
