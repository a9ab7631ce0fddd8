"""The shipped Prometheus and Grafana files, against a server under a little load."""

import math
import shutil
import socket
import subprocess
import time

import pytest

from tests.deploy.prometheus import FOLDER, queries
from tests.system.client import send
from tests.system.prometheus import Prometheus
from tests.system.serving import Server, step
from tests.system.sink import Sink
from tests.system.steady import Kind, Steady
from tests.system.waiting import eventually

pytestmark = pytest.mark.system

TOKEN = "a-token-for-prometheus-only"
SECONDS = 15


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """A Prometheus that has seen a server work for a while."""
    home = tmp_path_factory.mktemp("watched")
    (home / "server").mkdir()
    (home / "prometheus").mkdir()
    server = Server(home / "server", SLUICE_METRICS_TOKEN=TOKEN)
    server.start()
    api = server.api()
    api.register()
    target = f"127.0.0.1:{server.port}"
    with (
        Sink() as sink,
        Prometheus(home / "prometheus", target=target, token=TOKEN) as prometheus,
        _load(server, api, sink) as load,
    ):
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            _be_refused(server)
            time.sleep(1)
        assert load.failures == []
        yield prometheus
    server.close()


def _load(server, api, sink) -> Steady:
    told = api.workflow("Told", step("tell", f"{sink.url}/told"))
    broken = api.workflow("Broken", step("break", f"{sink.url}/no?status=500"))
    load = Steady()
    for each in (told, broken):
        load.add(2, Kind(hook=each["webhook_url"], value={}, keeps=True, pause=0.05))
    return load


def _be_refused(server: Server) -> None:
    """Send what the event loop itself refuses."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as one:
        one.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: odd\r\n\r\n")
        assert one.recv(100).startswith(b"HTTP/1.1 5")


def test_every_query_of_the_dashboard_returns_data(watched, figure):
    def empty() -> list[str]:
        return [title for title, query in queries() if not _drawn(watched, query)]

    eventually(lambda: not empty(), within=20, what="every panel draws")

    assert empty() == []
    figure("queries that return data", len(list(queries())))


def _drawn(prometheus: Prometheus, query: str) -> bool:
    asked = query.replace("$__rate_interval", "8s").replace("$job", ".+")
    series = prometheus.values(asked, seconds=5)
    numbers = [float(value) for each in series for _, value in each["values"]]
    return any(math.isfinite(each) for each in numbers)


def test_every_rule_is_evaluated_without_an_error(watched):
    groups = watched.ask("rules")["groups"]
    rules = [each for group in groups for each in group["rules"]]

    eventually(
        lambda: all(
            each["health"] == "ok"
            for group in watched.ask("rules")["groups"]
            for each in group["rules"]
        ),
        within=20,
        what="every rule is evaluated",
    )

    assert len(rules) > 20
    assert [each.get("lastError") for each in rules if each.get("lastError")] == []


def test_a_server_that_works_sets_off_no_alert(watched):
    alerts = watched.ask("alerts")["alerts"]

    assert [each for each in alerts if each["state"] == "firing"] == []


def test_the_target_is_up_with_its_token_and_closed_without(watched):
    [target] = watched.ask("targets")["activeTargets"]

    assert (target["health"], target["lastError"]) == ("up", "")
    assert send("GET", target["scrapeUrl"]).status == 404


@pytest.mark.parametrize(
    "check",
    [("check", "rules", "rules.yml"), ("test", "rules", "rules.test.yml")],
    ids=" ".join,
)
def test_promtool_agrees(check):
    promtool = shutil.which("promtool")
    assert promtool, "promtool is missing: apt install prometheus"

    said = subprocess.run(
        [promtool, *check], cwd=FOLDER, capture_output=True, text=True, check=False
    )

    assert said.returncode == 0, said.stdout + said.stderr
    assert "SUCCESS" in said.stdout
