"""Workers on other machines: events, callers and cancels find their way there."""

import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.services.postgres import Postgres
from tests.services.redis import Redis
from tests.system import verdict
from tests.system.callers import Line, path_of
from tests.system.client import Api, post, send
from tests.system.fleet import Fleet, at, fleet, flood, seconds_until, stats
from tests.system.serving import step
from tests.system.sink import Sink
from tests.system.waiting import eventually

pytestmark = pytest.mark.system


@pytest.fixture
def machines(tmp_path: Path, postgres: Postgres, redis: Redis) -> Iterator[Fleet]:
    with fleet(tmp_path / "workers", postgres, redis) as one:
        yield one


def test_events_to_two_servers_are_carried_out_by_two_workers_once_each(
    machines: Fleet, sink: Sink, figure
):
    webs = [machines.web(), machines.web()]
    workers = [machines.worker(), machines.worker()]
    api = webs[0].api()
    api.register()
    tell = api.workflow("Tell", step("tell", f"{sink.url}/tell?seconds=0.1"))

    answers = flood([at(each, tell) for each in webs], 60)
    executions = api.all_finished(within=30)

    assert Counter(each.status for each in answers) == {202: 60}
    accepted = [each.json["execution_id"] for each in answers]
    assert verdict.lost(accepted, executions) == []
    keys = Counter(each.key for each in sink.arrivals())
    assert keys == dict.fromkeys((f"{each}:tell" for each in accepted), 1)
    shares = [len(each.events("Workflow executed")) for each in workers]
    assert sum(shares) == 60
    assert min(shares) > 0
    assert all(each.events("Workflow executed") == [] for each in webs)
    assert verdict.unbalanced(api.ledger()) == []
    figure("events to two servers, carried out by two workers", f"{shares}")


def test_who_waits_for_the_end_hears_it_and_who_leaves_stops_it(
    machines: Fleet, sink: Sink, figure
):
    web, _ = machines.web(), machines.worker()
    api = web.api()
    api.register()
    respond = {"id": "answer", "uses": "respond", "with": {"status": 201}}
    asked = api.workflow("Asked", respond, respond="on_finish")
    hold = api.workflow(
        "Hold", step("hold", f"{sink.url}/hold?held=1"), respond="on_finish"
    )

    assert post(at(web, asked), {}).status == 201
    ran = api.call("POST", f"/workflows/{asked['id']}/run", {"input": 1, "wait": 10})
    assert ran["status"] == "success"
    with Line(web.url) as line:
        line.send("POST", path_of(hold["webhook_url"]), {})
        sink.wait_for(1, within=10)
        [left] = api.executions(workflow_id=hold["id"])
        line.hang_up()
    took = seconds_until(
        lambda: api.execution(left["id"])["status"] == "cancelled",
        within=5,
        what="the run is cancelled",
    )

    figure(
        "a caller leaves: his run on a worker is cancelled after, ms",
        f"{took * 1000:.0f}",
    )
    assert took < 1.5
    assert len(sink.at("/hold")) == 1


def test_a_cancel_reaches_the_worker(machines: Fleet, sink: Sink, figure):
    web, _ = machines.web(), machines.worker()
    api = web.api()
    api.register()
    hold = api.workflow("Hold", step("hold", f"{sink.url}/hold?held=1"))
    held = post(at(web, hold), {}).json["execution_id"]
    sink.wait_for(1, within=10)

    asked = api.call("POST", f"/executions/{held}/cancel")
    took = seconds_until(
        lambda: api.execution(held)["status"] == "cancelled",
        within=5,
        what="it is cancelled",
    )

    assert (asked["status"], asked["cancel_requested"]) == ("running", True)
    assert took < 1.5
    figure("a cancel reaches what a worker runs after, ms", f"{took * 1000:.0f}")


def test_as_many_are_let_in_as_all_workers_take_and_not_one_more(
    machines: Fleet, sink: Sink, figure
):
    sizes = {"SLUICE_POOL_WORKERS": "2", "SLUICE_POOL_QUEUE": "10"}
    webs = [machines.web(**sizes), machines.web(**sizes)]
    api = webs[0].api()
    api.register()
    hold = api.workflow("Hold", step("hold", f"{sink.url}/hold?held=1"))
    hooks = [at(each, hold) for each in webs]

    nobody = flood(hooks, 60)
    assert stats(api).workers == 0
    machines.worker(**sizes)
    eventually(lambda: stats(api).busy == 2, within=10, what="two run")
    one = flood(hooks, 60)
    machines.worker(**sizes)
    eventually(lambda: stats(api).busy == 4, within=10, what="four run")
    two = flood(hooks, 60)

    told = [Counter(each.status for each in answers) for answers in (nobody, one, two)]
    assert told == [{202: 12, 503: 48}, {503: 60}, {202: 12, 503: 48}]
    refused = [each for each in [*nobody, *one, *two] if each.status == 503]
    assert all(int(each.headers["retry-after"]) >= 1 for each in refused)
    pool = stats(api)
    assert (pool.workers, pool.busy, pool.queued, pool.capacity) == (4, 4, 20, 24)
    sink.release()
    executions = api.all_finished(within=30)
    assert Counter(each["status"] for each in executions) == {"success": 24}
    eventually(
        lambda: api.ledger()["shed"] == len(refused), within=5, what="all are booked"
    )
    assert verdict.unbalanced(api.ledger()) == []
    figure("180 events at once to two servers; places, let in", "24, 24")


def test_a_worker_that_is_told_to_stop_finishes_and_hands_over(
    machines: Fleet, sink: Sink
):
    sizes = {"SLUICE_POOL_WORKERS": "2", "SLUICE_DRAIN_TIMEOUT": "8"}
    web, first = machines.web(), machines.worker(**sizes)
    api = web.api()
    api.register()
    slow = api.workflow("Slow", step("slow", f"{sink.url}/slow?seconds=2"))
    accepted = [post(at(web, slow), {}).json["execution_id"] for _ in range(6)]
    sink.wait_for(2, within=10)

    first.send(signal.SIGTERM)
    eventually(
        lambda: send("GET", f"{first.url}/health/ready").status == 503,
        within=2,
        what="it is not ready any more",
    )
    assert send("GET", f"{first.url}/health/live").status == 200
    assert first.wait(within=10) == 0
    [drained] = first.events("Drained")
    assert (drained["interrupted"], drained["overstayed"]) == (0, 0)
    assert len(sink.arrivals()) == 2
    machines.worker(**sizes)

    executions = api.all_finished(within=30)
    assert verdict.lost(accepted, executions) == []
    keys = Counter(each.key for each in sink.arrivals())
    assert keys == dict.fromkeys((f"{each}:slow" for each in accepted), 1)


def test_what_overstays_the_drain_of_a_worker_goes_on_elsewhere_with_its_key(
    machines: Fleet, sink: Sink
):
    web, first = machines.web(), machines.worker(SLUICE_DRAIN_TIMEOUT="3")
    api = web.api()
    api.register()
    hold = api.workflow("Hold", step("hold", f"{sink.url}/hold?held=1"))
    held = post(at(web, hold), {}).json["execution_id"]
    sink.wait_for(1, within=10)

    assert first.stop(within=10) == 0
    left = api.execution(held)
    machines.worker()
    sink.wait_for(2, within=10)
    sink.release()

    assert (left["status"], left["attempt"]) == ("queued", 2)
    assert api.finished(held)["status"] == "success"
    assert {each.key for each in sink.arrivals()} == {f"{held}:hold"}


def test_without_redis_events_are_taken_and_carried_out_a_little_later(
    machines: Fleet, sink: Sink, redis: Redis, figure
):
    web, _ = machines.web(), machines.worker()
    api = web.api()
    api.register()
    tell = api.workflow("Tell", step("tell", f"{sink.url}/tell"))
    blows = {
        "killed": redis.kill,
        "back, and empty": redis.start,
        "emptied": lambda: redis.say("FLUSHALL"),
        "frozen": lambda: redis.send(signal.SIGSTOP),
        "thawed": lambda: redis.send(signal.SIGCONT),
    }

    for name, blow in blows.items():
        blow()
        slowest, latest = _pass(api, at(web, tell), sink)
        figure(f"Redis {name}: slowest answer, start, ms", f"{slowest}, {latest}")
        assert slowest < 1000, name
        assert latest < 3000, name

    assert "Traceback" not in web.written()


def _pass(api: Api, hook: str, sink: Sink) -> tuple[int, int]:
    """Post ten events one by one; return the slowest answer and the slowest start."""
    accepted: list[str] = []
    before = len(sink.arrivals())
    answers = [_posted(hook, accepted) for _ in range(10)]
    sink.wait_for(before + 10, within=10)
    waits = [api.finished(each)["queue_ms"] for each in accepted]
    return round(max(answers) * 1000), max(waits)


def _posted(hook: str, accepted: list[str]) -> float:
    """Post an event and return how long the answer took, seconds."""
    began = time.monotonic()
    answer = post(hook, {})
    took = time.monotonic() - began
    assert answer.status == 202
    accepted.append(answer.json["execution_id"])
    return took
