"""Two servers on one data directory share the work and take over from each other."""

import signal
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.system import verdict
from tests.system.callers import path_of
from tests.system.client import Api, post
from tests.system.serving import Server, step
from tests.system.sink import Sink
from tests.system.waiting import eventually

pytestmark = pytest.mark.system

EVENTS = 120


@pytest.fixture
def pair(start) -> tuple[Server, Server]:
    first: Server = start()
    return first, start(SLUICE_DATA_DIR=str(first.home / "data"))


def post_to_both(pair: tuple[Server, Server], path: str, count: int) -> list[str]:
    """Post to one and the other in turn; return the executions."""

    def accepted(n: int) -> Any:
        answer = post(pair[n % 2].url + path, {"n": n})
        assert answer.status == 202
        return answer.json["execution_id"]

    with ThreadPoolExecutor(8) as clients:
        return list(clients.map(accepted, range(count)))


def test_two_instances_side_by_side_run_nothing_twice_and_one_takes_over_what_dies(
    pair, sink: Sink, figure
):
    first, second = pair
    api = first.api()
    api.register()
    other = Api(second.url, api.key)
    tell = api.workflow("Tell", step("tell", f"{sink.url}/tell?seconds=0.2"))
    hold = api.workflow("Hold", step("hold", f"{sink.url}/hold?held=1"))

    accepted = post_to_both(pair, path_of(tell["webhook_url"]), EVENTS)
    executions = api.all_finished(within=30)

    assert verdict.lost(accepted, executions) == []
    keys = Counter(each.key for each in sink.arrivals())
    assert keys == dict.fromkeys((f"{each}:tell" for each in accepted), 1)
    for each in pair:
        assert len(each.events("Workflow executed")) == EVENTS / 2

    held = post_to_both(pair, path_of(hold["webhook_url"]), 10)
    eventually(lambda: len(sink.at("/hold")) == 10, within=10, what="all are held")
    first.kill()
    eventually(lambda: len(sink.at("/hold")) == 15, within=5, what="half comes again")
    sink.release()
    executions = other.all_finished(within=20)

    assert verdict.lost(held, executions) == []
    again = Counter(each.key for each in sink.at("/hold"))
    assert again.keys() == {f"{each}:hold" for each in held}
    assert Counter(again.values()) == {1: 5, 2: 5}
    assert verdict.unbalanced(other.ledger()) == []
    figure("events to two instances, each once at the receiver", EVENTS)
    figure("in flight where one was killed, carried on by the other", 5)


def test_a_cancel_reaches_an_execution_that_the_other_instance_runs(pair, sink: Sink):
    first, second = pair
    api = first.api()
    api.register()
    other = Api(second.url, api.key)
    hold = api.workflow("Hold", step("hold", f"{sink.url}/hold?held=1"))
    held = post(hold["webhook_url"], {}).json["execution_id"]
    sink.wait_for(1, within=5)

    asked = other.call("POST", f"/executions/{held}/cancel")

    assert (asked["status"], asked["cancel_requested"]) == ("running", True)
    assert other.finished(held, within=3)["status"] == "cancelled"


def test_what_one_instance_hands_over_at_its_end_the_other_carries_out(
    pair, sink: Sink
):
    first, second = pair
    api = first.api()
    api.register()
    slow = api.workflow("Slow", step("slow", f"{sink.url}/slow?seconds=4"))
    accepted = [post(slow["webhook_url"], {}).json["execution_id"] for _ in range(30)]
    sink.wait_for(10, within=5)

    first.send(signal.SIGTERM)
    executions = Api(second.url, api.key).all_finished(within=30)

    assert first.wait() == 0
    assert verdict.lost(accepted, executions) == []
    keys = Counter(each.key for each in sink.arrivals())
    assert keys == dict.fromkeys((f"{each}:slow" for each in accepted), 1)
    assert len(second.events("Workflow executed")) == 20
