"""No metric grows by what a tenant or a stranger writes."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from app.connectors.catalog import CATALOG
from app.domain.execution import FINAL
from app.security.signatures.choosing import NAMES
from app.security.signatures.signed import Verdict
from app.telemetry.metrics import SWEEPS, WEBHOOKS
from app.web.requests import METHODS
from tests.web.conftest import definition, hook_of

MINE = "mine-and-nobody-elses"
ID = {"id": MINE.replace("-", "_"), "uses": "set", "with": {"value": MINE}}
CALL_CODES = {
    "bad-answer",
    "blocked-address",
    "cancelled",
    "connect-failed",
    "interrupted",
    "invalid-settings",
    "timeout",
    "too-large",
}


@pytest.fixture
def labels(client):
    """Every label of every sample, with the values that it has."""

    def scrape():
        found: dict[tuple[str, str], set[str]] = {}
        families = text_string_to_metric_families(client.get("/metrics").text)
        for sample in (each for family in families for each in family.samples):
            for label, value in sample.labels.items():
                found.setdefault((sample.name, label), set()).add(value)
        return found

    return scrape


def work(api, client, where):
    """Do what has a label in it, each with a text of the tenant's own."""
    workflow = api.workflow(
        MINE,
        ID,
        {"id": "call", "uses": "http.request", "with": {"url": where}},
    )
    api.run(workflow, {MINE: MINE})
    client.post(f"{hook_of(workflow)}/{MINE}?{MINE}", data=MINE, headers={MINE: MINE})
    client.post(f"/hooks/{MINE}")
    client.open(f"/{MINE}", method=MINE)
    client.open(f"/api/v1/{MINE}", method="DELETE")
    odd = definition({"id": "a", "uses": MINE, "with": {}}, type="webhook")
    made = {"name": "Odd", "definition": odd}
    assert api.ask("POST", "/workflows", made).status_code == 422
    signed = api.workflow("Signed", verify={"scheme": "github", "secret": MINE})
    client.post(hook_of(signed), headers={"X-Hub-Signature-256": MINE})


def test_every_label_has_a_known_set_of_values(app, api, client, labels):
    work(api, client, "http://127.0.0.1:9/")
    routes = {each.rule for each in app.url_map.iter_rules()} | {"unmatched"}
    statuses = {str(status) for status in range(100, 600)}
    known = {
        "uses": {each.name for each in CATALOG},
        "outcome": {*WEBHOOKS, *CALL_CODES, *(f"{n}xx" for n in range(1, 6))},
        "scheme": set(NAMES),
        "reason": {each.value for each in Verdict},
        "route": routes,
        "sweep": set(SWEEPS),
        "method": METHODS | {"other"},
        "status": statuses | {each.value for each in FINAL},
    }

    found = labels()

    told = {name: label for name, label in found if name == "sluice_step_seconds_count"}
    assert told == {"sluice_step_seconds_count": "uses"}
    for (name, label), values in found.items():
        if label != "le" and name != "python_info":
            assert values <= known[label], (name, label)
    assert MINE not in str(found)


def test_what_can_be_foreseen_is_there_before_it_happens(labels):
    found = labels()

    assert set(WEBHOOKS) <= found["sluice_webhooks_total", "outcome"]
    assert {each.value for each in FINAL} <= found["sluice_executions_total", "status"]
    for name in ("sluice_swept_total", "sluice_sweep_seconds_count"):
        assert found[name, "sweep"] == set(SWEEPS)


def test_more_workflows_make_no_more_samples(api, client):
    def work_and_count(name):
        workflow = api.workflow(name)
        api.run(workflow, {})
        client.post(hook_of(workflow))
        return len(client.get("/metrics").text.splitlines())

    work_and_count("Warm")
    before = work_and_count("First")

    assert [work_and_count(f"Another {n}") for n in range(5)] == [before] * 5
