"""A server that executes by itself stands still for longer than its lease."""

import os
import re
import secrets
import signal
import time
from collections import Counter
from collections.abc import Callable

import pytest

from tests.services.postgres import Postgres
from tests.system import verdict
from tests.system.client import Api, post, send
from tests.system.fleet import KEY, at, installed
from tests.system.serving import Server, step
from tests.system.sink import Sink
from tests.system.waiting import eventually

pytestmark = pytest.mark.system

LEASE = 5.0  # seconds
COUNT = 5  # executions that run in the server when it freezes
LOST = re.compile(r"^sluice_leases_lost_total ([0-9.]+)$", re.MULTILINE)


def lost(server: Server) -> float:
    """How many executions its processes have lost, as its metrics tell."""
    answer = send("GET", f"{server.url}/metrics")
    found = LOST.search(answer.body.decode())
    return float(found.group(1)) if found else 0.0


def serves(server: Server) -> bool:
    try:
        return send("GET", f"{server.url}/health/ready", timeout=5).status == 200
    except OSError:
        return False


def test_a_server_frozen_past_its_lease_changes_nothing_and_serves_again(
    postgres: Postgres, start: Callable[..., Server], sink: Sink, figure
):
    settings = {
        "DATABASE_URL": installed(postgres, f"frozen_{secrets.token_hex(4)}"),
        "SLUICE_ENCRYPTION_KEYS": KEY,
        "SLUICE_LEASE": str(LEASE),
    }
    frozen, other = start(**settings), start(**settings)
    api = frozen.api()
    api.register()
    elsewhere = Api(other.url, api.key)
    hold = api.workflow(
        "Hold",
        step("first", f"{sink.url}/first"),
        step("second", f"{sink.url}/second?held=1"),
        step("third", f"{sink.url}/third"),
    )
    held = [post(at(frozen, hold), {}).json["execution_id"] for _ in range(COUNT)]
    eventually(lambda: len(sink.at("/second")) == COUNT, within=30, what="they run")
    assert lost(frozen) == 0
    [process] = frozen.workers()

    os.kill(process, signal.SIGSTOP)
    began = time.monotonic()
    eventually(
        lambda: len(sink.at("/second")) == 2 * COUNT, within=45, what="they move"
    )
    moved = time.monotonic() - began
    sink.release()
    ended = elsewhere.all_finished(within=60)
    before = {each["id"]: elsewhere.execution(each["id"]) for each in ended}
    os.kill(process, signal.SIGCONT)

    eventually(
        lambda: frozen.events("Taken for dead by others"), within=30, what="it notices"
    )
    eventually(
        lambda: frozen.workers() not in ([], [process]),
        within=60,
        what="it is replaced",
    )
    eventually(lambda: serves(frozen), within=60, what="the other one serves")
    assert {name: each["status"] for name, each in before.items()} == dict.fromkeys(
        held, "success"
    )
    assert {each["attempt"] for each in before.values()} == {2}
    again = Counter(each.key for each in sink.at("/second"))
    assert again == dict.fromkeys((f"{each}:second" for each in held), 2)
    for path in ("first", "third"):  # what was finished, and what was not begun
        keys = Counter(each.key for each in sink.at(f"/{path}"))
        assert keys == dict.fromkeys((f"{each}:{path}" for each in held), 1)
    eventually(lambda: lost(frozen) == COUNT, within=10, what="the losses are counted")
    assert {each: elsewhere.execution(each) for each in before} == before
    assert lost(other) == 0

    more = [post(at(frozen, hold), {}).json["execution_id"] for _ in range(COUNT)]
    executions = api.all_finished(within=60)
    assert verdict.lost(more, executions) == []
    assert {each["status"] for each in executions} == {"success"}
    assert len(other.events("Workflow executed")) == COUNT
    assert verdict.unbalanced(api.ledger()) == []
    told = f"{moved:.1f}"
    figure(f"a server frozen with a lease of {LEASE:g} s: taken over after, s", told)
    figure("its late writes that counted, effects doubled behind their keys", "0, 0")
