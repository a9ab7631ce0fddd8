"""Rules, their tests and the dashboard, where they must agree with the service."""

import json
import re

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from app.telemetry.metrics import Metrics
from tests.deploy import operations
from tests.deploy.prometheus import (
    CONFIG,
    DASHBOARD,
    NAME,
    TESTS,
    alerts,
    panels,
    queries,
    rules,
)
from tests.deploy.units import ROOT

PROVISIONING = ROOT / "deploy/grafana/provisioning"
PROMISES = {  # what a broken promise is told by
    "SluiceBacklogOld",
    "SluiceDiskAlmostFull",
    "SluiceDown",
    "SluiceDrainOverrun",
    "SluiceExecutionDoesNotEnd",
    "SluiceFailedCommits",
    "SluiceLeasesLost",
    "SluiceShedding",
}


def exist() -> set[str]:
    """The names that a query may use."""
    text, _ = Metrics().render()
    found = re.findall(r"^# TYPE (\w+) (\w+)$", text.decode(), re.MULTILINE)
    names = {name for name, _ in found}
    for name, kind in found:
        if kind == "histogram":
            names |= {f"{name}_{part}" for part in ("bucket", "sum", "count")}
    return names


def recorded() -> set[str]:
    return {each["record"] for each in rules() if "record" in each}


@pytest.mark.parametrize("name", alerts())
def test_each_alert_has_a_test_in_which_it_fires_and_one_in_which_it_does_not(name):
    checks = [
        check
        for each in TESTS["tests"]
        for check in each["alert_rule_test"]
        if check["alertname"] == name
    ]

    assert {bool(each["exp_alerts"]) for each in checks} == {True, False}


@pytest.mark.parametrize("name", alerts())
def test_each_alert_has_an_entry_in_the_runbook(name):
    alert = alerts()[name]
    entry = operations.entry(name)

    assert alert["labels"]["severity"] in {"page", "ticket"}
    assert alert["annotations"]["runbook"] == f"docs/operations.md#{name.lower()}"
    query = " ".join(alert["expr"].split())
    assert f"`{query}`" in entry
    assert "Do: " in entry


def test_the_runbook_has_no_entry_for_an_alert_that_is_gone():
    headings = re.findall(r"^### (Sluice\w+)$", operations.TEXT, re.MULTILINE)

    assert set(headings) == set(alerts())


def test_a_broken_promise_is_an_alert():
    assert set(alerts()) >= PROMISES


def test_every_rule_and_panel_asks_for_what_exists():
    known = exist() | {"sluice_instance"}
    asked = [each["expr"] for each in rules()] + [query for _, query in queries()]

    for query in asked:
        without = re.sub("|".join(recorded()), "", query)
        assert set(NAME.findall(without)) <= known, query


def test_every_metric_is_on_the_dashboard_or_is_only_a_detail():
    shown = {name for _, query in queries() for name in NAME.findall(query)}
    details = {
        "process_max_fds",
        "process_start_time_seconds",
        "process_virtual_memory_bytes",
        "python_info",
        "sluice_pool_workers",
        "sluice_rings_total",
        "sluice_rings_waiting",
        "sluice_signatures_refused_total",
    }
    bases = {re.sub("_(bucket|sum|count)$", "", name) for name in shown}
    text, _ = Metrics().render()
    kept = set(re.findall(r"^# TYPE (\w+) ", text.decode(), re.MULTILINE))

    assert kept - bases == details


def test_the_dashboard_is_one_that_grafana_understands():
    """Whatever Grafana's own model of a dashboard does not know would be lost."""
    register_default_plugins()

    read = Dashboard.from_json(dict(DASHBOARD))

    written = json.loads(JSONEncoder().encode(read))
    assert list(missing(DASHBOARD, written)) == []


def missing(mine, theirs, where=""):
    """Give what is not kept of a value, with its place in it."""
    if isinstance(mine, dict):
        for name, value in mine.items():
            if name not in theirs:
                yield f"{where}/{name}"
            else:
                yield from missing(value, theirs[name], f"{where}/{name}")
    elif isinstance(mine, list):
        for number, pair in enumerate(zip(mine, theirs, strict=True)):
            yield from missing(*pair, f"{where}/{number}")
    elif mine != theirs:
        yield where


def test_panels_have_titles_of_their_own_and_do_not_overlap():
    titles = [each["title"] for each in DASHBOARD["panels"]]
    ids = [each["id"] for each in DASHBOARD["panels"]]
    assert len(set(titles)) == len(titles)
    assert len(set(ids)) == len(ids)

    taken = [
        (at["x"] + dx, at["y"] + dy)
        for at in (each["gridPos"] for each in DASHBOARD["panels"])
        for dx in range(at["w"])
        for dy in range(at["h"])
    ]
    assert len(set(taken)) == len(taken)
    assert {x for x, _ in taken} == set(range(24))
    assert len(panels()) > 20


def test_what_provisions_grafana_names_what_is_there():
    [source] = yaml.safe_load(
        (PROVISIONING / "datasources/prometheus.yml").read_text()
    )["datasources"]
    [provider] = yaml.safe_load((PROVISIONING / "dashboards/sluice.yml").read_text())[
        "providers"
    ]

    assert source["type"] == "prometheus"
    assert source["jsonData"]["timeInterval"] == CONFIG["global"]["scrape_interval"]
    assert provider["options"]["path"].endswith("/dashboards")
    kinds = [each["type"] for each in DASHBOARD["templating"]["list"]]
    assert kinds == ["datasource", "query"]
    [job] = [each["job_name"] for each in CONFIG["scrape_configs"]]
    assert job == "sluice"
