"""One JSON object a line, the line that dashboards count, and nothing secret."""

import pytest

from tests.system.client import PASSWORD, Api, post, send
from tests.system.serving import Server, step
from tests.system.sink import Sink
from tests.system.waiting import eventually

pytestmark = pytest.mark.system

LEVELS = {"debug", "info", "warning", "error", "critical"}
CANARY = "canary-6f1c2a"


@pytest.fixture
def told(start, sink: Sink) -> tuple[Server, Api, dict[str, str], dict[str, str]]:
    """A server after a success, a failure, a refusal, a wrong key, and its end."""
    server: Server = start()
    api = server.api()
    account = api.register()
    good = api.workflow("Good", step("tell", f"{sink.url}/x?note={CANARY}", CANARY))
    bad = api.workflow("Bad", step("tell", f"{sink.url}/x?status=500&t={CANARY}", 1))
    headers = {"X-Secret": CANARY, "Authorization": f"Bearer {CANARY}"}
    done = post(f"{good['webhook_url']}?key={CANARY}", {"s": CANARY}, **headers)
    failed = post(bad["webhook_url"], {"s": CANARY}, **headers)
    api.finished(done.json["execution_id"])
    api.finished(failed.json["execution_id"])
    assert send("POST", f"{server.url}/hooks/{CANARY}").status == 404
    assert Api(server.url, key=CANARY).ask("GET", "/me").status == 401
    eventually(
        lambda: len(server.events("Workflow executed")) == 2,
        within=5,
        what="two executions are logged",
    )
    assert server.stop() == 0
    secrets = {
        "key": account["api_key"],
        "hook": good["webhook_url"].rpartition("/")[2],
    }
    ids = {
        "execution_id": done.json["execution_id"],
        "workflow_id": good["id"],
        "tenant_id": account["tenant"]["id"],
        "user_id": account["user"]["id"],
    }
    return server, api, secrets, ids


def test_every_line_is_an_object_with_the_agreed_fields_and_nothing_secret(told):
    server, _, secrets, ids = told

    for line in server.lines():
        assert {"timestamp", "level", "message", "logger", "service"} <= line.keys()
        assert line["level"] in LEVELS
        assert line["timestamp"].endswith("Z")
        assert len(line["timestamp"]) == len("2026-01-08T12:34:56.789Z")
    everything = server.written()
    for secret in (*secrets.values(), PASSWORD, CANARY):
        assert secret not in everything
    assert "Traceback" not in everything
    [line] = server.events("Workflow executed", status="success")
    assert ids.items() <= line.items()
    assert line["level"] == "info"
    assert isinstance(line["duration_ms"], int)
    assert len(server.events("Workflow executed", status="failed")) == 1
