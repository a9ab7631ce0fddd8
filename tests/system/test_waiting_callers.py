"""P6: nobody works for a caller who has gone, and those who wait leave room."""

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.system import nginx, stored, verdict
from tests.system.callers import Leave, Line, path_of
from tests.system.client import Api, send
from tests.system.serving import Server, step
from tests.system.sink import Sink
from tests.system.waiting import eventually

pytestmark = pytest.mark.system

SOON = 1.0  # seconds from the disconnect to `cancelled`
PLACES = 8  # half of the 16 request threads
LEAVING = {"FIN": Line.hang_up, "RST": Line.reset}
leaving = pytest.mark.parametrize("leave", LEAVING.values(), ids=LEAVING)


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Server]:
    """A server with two request threads, so that one caller may wait."""
    one = Server(tmp_path_factory.mktemp("waiting"), SLUICE_THREADS="2")
    one.start()
    yield one
    one.close()


@pytest.fixture(scope="module")
def tenant(server: Server) -> Api:
    api = server.api()
    api.register()
    return api


@dataclass(frozen=True, slots=True)
class Asked:
    """A workflow whose first step is answered when the receiver is told to."""

    api: Api
    sink: Sink
    workflow: Any

    @property
    def hook(self) -> str:
        return path_of(self.workflow["webhook_url"])

    def ask(self, line: Line, way: str = "hook") -> str:
        """Ask and wait until the first step has begun; return the execution."""
        seen = len(self.sink.at("/first"))
        if way == "hook":
            line.send("POST", self.hook, {})
        else:
            run = f"/api/v1/workflows/{self.workflow['id']}/run"
            fields = f"Authorization: Bearer {self.api.key}"
            kind = "Content-Type: application/json"
            line.send("POST", run, {"wait": 30}, fields, kind)
        self.sink.wait_for(seen + 1, within=5)
        key = self.sink.at("/first")[-1].key
        assert key
        return key.partition(":")[0]

    def check_cancelled(self, execution_id: str, left: float) -> float:
        """Wait for the cancel, see that nothing follows, and return how long it took.

        Args:
            execution_id: what was asked for.
            left: when its caller left, on `time.monotonic`.
        """
        over = self.api.finished(execution_id, within=SOON + 1)
        took = time.monotonic() - left
        assert over["status"] == "cancelled"
        assert took < SOON
        assert [each["status"] for each in over["steps"]] == ["cancelled"]
        self.check_idle()
        assert self.sink.at("/second") == []
        return took

    def check_idle(self) -> None:
        """Wait until no thread runs an execution, so that no request can follow."""

        def idle() -> bool:
            pool = self.api.call("GET", "/stats")["pool"]
            return bool(pool["busy"] == pool["queued"] == 0)

        eventually(idle, within=SOON, what="the thread is free")


@pytest.fixture
def asked(tenant: Api, sink: Sink) -> Asked:
    return Asked(tenant, sink, two_steps(tenant, sink))


def two_steps(api: Api, sink: Sink, **trigger: str) -> Any:
    return api.workflow(
        f"Asked {time.monotonic_ns()}",
        step("first", f"{sink.url}/first?held=1"),
        step("second", f"{sink.url}/second"),
        respond="on_finish",
        **trigger,
    )


def check_place_is_free(server: Server, asked: Asked) -> None:
    """Let the only caller who may wait be answered."""
    asked.sink.release()
    with Line(server.url) as line:
        asked.ask(line)
        assert line.read().status == 200


@leaving
@pytest.mark.parametrize("way", ["hook", "run"])
def test_the_run_of_a_caller_who_leaves_is_cancelled(
    server: Server, asked: Asked, way: str, leave: Leave, figure
):
    line = Line(server.url)
    execution_id = asked.ask(line, way)

    leave(line)
    took = asked.check_cancelled(execution_id, time.monotonic())

    check_place_is_free(server, asked)
    figure(
        f"{way}: disconnect to cancelled, ms (goal: below 1000)", f"{took * 1e3:.0f}"
    )


@leaving
def test_a_caller_leaves_a_connection_that_he_has_used_before(
    server: Server, asked: Asked, leave: Leave
):
    line = Line(server.url)
    assert line.send("GET", "/health/live").read().status == 200
    execution_id = asked.ask(line)

    leave(line)
    asked.check_cancelled(execution_id, time.monotonic())

    check_place_is_free(server, asked)


@leaving
def test_a_caller_leaves_who_had_sent_another_request_behind(
    server: Server, asked: Asked, leave: Leave
):
    line = Line(server.url)
    execution_id = asked.ask(line)
    line.send("GET", "/health/live")

    leave(line)
    asked.check_cancelled(execution_id, time.monotonic())

    check_place_is_free(server, asked)


@pytest.mark.skipif(nginx.NGINX is None, reason="nginx is not installed")
@leaving
def test_a_caller_leaves_behind_nginx(
    server: Server, asked: Asked, tmp_path: Path, leave: Leave
):
    with nginx.running(tmp_path / "nginx", server.port) as front:
        line = Line(f"https://{nginx.NAME}", front.connect())
        execution_id = asked.ask(line)

        leave(line)
        asked.check_cancelled(execution_id, time.monotonic())

    check_place_is_free(server, asked)


@pytest.mark.parametrize("way", ["hook", "run"])
@leaving
def test_a_run_that_continues_goes_on_without_its_caller(
    server: Server, tenant: Api, sink: Sink, way: str, leave: Leave
):
    asked = Asked(tenant, sink, two_steps(tenant, sink, on_disconnect="continue"))
    line = Line(server.url)
    execution_id = asked.ask(line, way)

    leave(line)
    with Line(server.url) as next_one:  # gets the place while the first run goes on
        other = eventually(
            lambda: admitted(asked, next_one), within=SOON, what="a place"
        )
        assert tenant.execution(execution_id)["status"] == "running"
        sink.release()
        assert next_one.read().status == 200

    assert tenant.finished(execution_id)["status"] == "success"
    assert {each.key for each in sink.at("/second")} == {
        f"{execution_id}:second",
        f"{other}:second",
    }


def admitted(asked: Asked, line: Line) -> str | None:
    """Ask; None when there is no place yet."""
    seen = len(asked.sink.at("/first"))
    line.send("POST", asked.hook, {})
    if not line.has_answer(within=0.3):
        asked.sink.wait_for(seen + 1, within=5)
        return (asked.sink.at("/first")[-1].key or "").partition(":")[0]
    assert line.read().status == 503
    return None


def test_who_stays_is_answered_and_may_use_his_connection_again(
    server: Server, asked: Asked
):
    asked.sink.release()
    with Line(server.url) as line:
        for way in ("hook", "run", "hook"):
            asked.ask(line, way)
            assert line.read().status == 200
        assert line.send("GET", "/health/live").read().status == 200

    assert len(asked.sink.at("/second")) == 3


def test_more_callers_than_half_of_the_threads_are_refused_without_a_row(
    start, sink: Sink, figure
):
    server: Server = start()
    api = server.api()
    api.register()
    asked = Asked(api, sink, two_steps(api, sink))
    with ExitStack() as opened:
        lines = [opened.enter_context(Line(server.url)) for _ in range(PLACES)]
        accepted = [asked.ask(line) for line in lines]
        shed = refusals(server, asked, 25)
        times = sorted(timed_health(server) for _ in range(200))
        kept = stored.rows(server.home / "data", "SELECT id FROM executions")
        sink.release()
        answered = [line.read().status for line in lines]

    assert {each.status for each in shed} == {503}
    assert all(int(each.headers["retry-after"]) >= 1 for each in shed)
    assert {each for (each,) in kept} == set(accepted)
    assert answered == [200] * PLACES
    p99 = times[int(len(times) * 0.99)]
    assert p99 < 1
    books = eventually(lambda: booked(api, len(shed)), within=5, what="they are booked")
    assert verdict.unbalanced(books) == []
    assert books["received"] == PLACES + len(shed)
    assert Counter(each["status"] for each in api.executions()) == {"success": PLACES}
    figure("callers who wait at once, refused beyond them", f"{PLACES}, {len(shed)}")
    figure("health meanwhile, p99, ms (goal: below 1000)", f"{p99 * 1e3:.0f}")


def refusals(server: Server, asked: Asked, count: int) -> list[Any]:
    """Ask by both ways while there is no place."""
    ways = (
        asked.workflow["webhook_url"],
        f"{server.url}/api/v1/workflows/{asked.workflow['id']}/run",
    )
    fields = {
        "Authorization": f"Bearer {asked.api.key}",
        "Content-Type": "application/json",
    }

    def ask(n: int) -> Any:
        return send("POST", ways[n % 2], body=b'{"wait": 9}', headers=fields)

    with ThreadPoolExecutor(count) as clients:
        return list(clients.map(ask, range(count)))


def timed_health(server: Server) -> float:
    """Ask for health, and return how long the answer took, seconds."""
    began = time.monotonic()
    assert send("GET", f"{server.url}/health/live").status == 200
    return time.monotonic() - began


def booked(api: Api, shed: int) -> Any:
    """The ledger, once it has all refusals."""
    books = api.ledger()
    return books if books["shed"] == shed else None
