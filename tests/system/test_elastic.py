"""The mapping for Elasticsearch, against the lines of a server that runs."""

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

from tests.deploy.elastic import FIELDS, aggregated, unmapped, visualizations
from tests.system.client import Api, post, send
from tests.system.flood import flood
from tests.system.serving import ROOT, Server, step
from tests.system.sink import Sink
from tests.system.waiting import eventually

pytestmark = pytest.mark.system

SENDER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture
def lines(start, sink: Sink):
    """What a server writes: success, failure, retry, refusal, shed, reload, a kill."""
    server: Server = start(SLUICE_POOL_WORKERS="1", SLUICE_POOL_QUEUE="1")
    api = server.api()
    api.register()
    said = {"message": "told", "fields": {"any": {"thing": [1, None]}}}
    good = api.workflow(
        "Good",
        step("tell", f"{sink.url}/x"),
        {"id": "say", "uses": "log", "with": said},
    )
    retry = {"attempts": 2, "base": 0.01}
    bad = api.workflow("Bad", step("tell", f"{sink.url}/x?status=500", retry=retry))
    signed = _signed(api)
    slow = api.workflow("Slow", step("slow", f"{sink.url}/x?seconds=2"))
    for each in (good, bad):
        answer = post(each["webhook_url"], {}, traceparent=SENDER)
        api.finished(answer.json["execution_id"])
    assert post(signed["webhook_url"], {}).status == 401
    assert Api(server.url, key="wrong").ask("GET", "/me").status == 401
    send("POST", f"{server.url}/", headers={"Transfer-Encoding": "odd"})
    flood(slow["webhook_url"], [b"{}"] * 10, within=30)
    eventually(
        lambda: server.events("Webhook shed"), within=10, what="what was shed is told"
    )
    server.kill()
    server.start()
    api.all_finished(within=30)
    assert server.stop() == 0
    return server.lines()


def _signed(api: Api):
    verify = {"scheme": "github", "secret": "s3cret"}
    definition = {
        "trigger": {"type": "webhook", "verify": verify},
        "steps": [{"id": "note", "uses": "set", "with": {"value": 1}}],
    }
    return api.call("POST", "/workflows", {"name": "Signed", "definition": definition})


def test_every_field_of_every_line_is_mapped_and_fits(lines, figure):
    wrong = Counter(
        (line["message"], name) for line in lines for name in unmapped(line)
    )

    assert wrong == {}
    said = {line["message"] for line in lines}
    assert said >= {
        "Execution queued",
        "Executions taken over",
        "Step failed and is tried again",
        "Step logged",
        "Webhook shed",
        "Webhook signature refused",
        "Workflow executed",
    }
    figure("kinds of lines that fit", len(said))


def test_what_the_dashboard_aggregates_is_in_the_lines_that_it_counts(lines):
    for title, state, queries in visualizations():
        counted = re.findall(r'message : "([^"]+)"', queries)
        for message in counted:
            found = [line for line in lines if line["message"] == message]
            assert found, (title, message)
            for _, field in aggregated(state):
                assert field == "@timestamp" or field in found[0], (title, field)


def test_every_field_that_the_code_can_write_is_mapped():
    written = {name for path in (ROOT / "app").rglob("*.py") for name in extras(path)}

    assert {"execution_id", "duration_ms", "count", "interrupted"} <= written
    assert written - FIELDS.keys() == set(), (
        "map these in deploy/elastic/index-template.json"
    )


def extras(path: Path):
    """Give the names of what a module adds to its lines."""
    tree = ast.parse(path.read_text())
    calls = [each for each in ast.walk(tree) if isinstance(each, ast.Call)]
    named = {
        keyword.value.id
        for call in calls
        for keyword in call.keywords
        if keyword.arg == "extra" and isinstance(keyword.value, ast.Name)
    }
    given = [k.value for call in calls for k in call.keywords if k.arg == "extra"]
    given += [
        each.value
        for each in ast.walk(tree)
        if isinstance(each, ast.Assign)
        and isinstance(each.targets[0], ast.Name)
        and each.targets[0].id in named
    ]
    for each in given:
        for part in ast.walk(each):
            if isinstance(part, ast.Dict):
                for key in part.keys:
                    if isinstance(key, ast.Constant):
                        yield key.value
