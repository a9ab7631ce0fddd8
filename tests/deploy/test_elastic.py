"""Mapping, pipeline and dashboard for Elasticsearch, where they must agree."""

import json
import re

import pytest
import yaml

from tests.deploy.elastic import (
    FIELDS,
    FOLDER,
    MAPPINGS,
    OBJECTS,
    PIPELINE,
    TEMPLATE,
    aggregated,
    fits,
    unmapped,
    visualizations,
)

NUMBERS = {"avg", "max", "min", "sum"}
AGREED = {  # DESIGN's fields of a line, and their types
    "timestamp": "date",
    "duration_ms": "long",
    "exception": "text",
    **dict.fromkeys(
        (
            "execution_id",
            "level",
            "logger",
            "message",
            "request_id",
            "service",
            "status",
            "step",
            "tenant_id",
            "trace_id",
            "user_id",
            "workflow_id",
        ),
        "keyword",
    ),
}


def test_nothing_that_somebody_writes_makes_a_field_of_its_own():
    assert MAPPINGS["dynamic"] is False
    assert {each["type"] for each in FIELDS.values()} == {
        "date",
        "flattened",
        "keyword",
        "long",
        "text",
    }
    assert FIELDS["fields"]["type"] == "flattened"  # a workflow's own, in `log`


@pytest.mark.parametrize(("name", "kind"), list(AGREED.items()))
def test_the_agreed_fields_have_the_agreed_types(name, kind):
    assert FIELDS[name]["type"] == kind


def test_the_line_that_every_dashboard_counts_fits():
    line = {
        "timestamp": "2026-01-08T12:34:56.789Z",
        "level": "info",
        "message": "Workflow executed",
        "workflow_id": "wf_1",
        "user_id": "user_1",
        "tenant_id": "tenant_1",
        "execution_id": "exec_1",
        "duration_ms": 450,
        "status": "success",
    }

    assert unmapped(line) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("timestamp", "yesterday"),
        ("duration_ms", "450"),
        ("duration_ms", True),
        ("duration_ms", 0.5),
        ("message", {"a": 1}),
        ("exception", 1),
        ("fields", [1]),
        ("invented", 1),
    ],
)
def test_a_field_that_does_not_fit_is_noticed(name, value):
    assert unmapped({name: value}) == [name]
    assert fits("keyword", None)


def test_the_pipeline_takes_the_time_from_the_line():
    [date] = [each["date"] for each in PIPELINE["processors"] if "date" in each]
    settings = TEMPLATE["template"]["settings"]["index"]

    assert (date["field"], date["target_field"]) == ("timestamp", "@timestamp")
    assert settings["default_pipeline"] == "sluice"
    assert "data_stream" in TEMPLATE
    shipped = yaml.safe_load((FOLDER / "filebeat.yml").read_text())
    index = shipped["output.elasticsearch"]["index"]
    [pattern] = TEMPLATE["index_patterns"]
    assert re.fullmatch(pattern.replace("*", ".*"), index)


def test_the_dashboard_refers_only_to_what_comes_with_it():
    known = {(each["type"], each["id"]) for each in OBJECTS}
    assert len(known) == len(OBJECTS)

    for each in OBJECTS:
        for reference in each["references"]:
            assert (reference["type"], reference["id"]) in known
    [dashboard] = [each for each in OBJECTS if each["type"] == "dashboard"]
    panels = json.loads(dashboard["attributes"]["panelsJSON"])
    names = {f"{each['panelIndex']}:{each['panelRefName']}" for each in panels}
    assert names == {each["name"] for each in dashboard["references"]}
    shown = {each["id"] for each in dashboard["references"]}
    assert shown == {e["id"] for e in OBJECTS if e["type"] == "visualization"}


def test_the_data_view_shows_what_the_template_is_for():
    [view] = [each for each in OBJECTS if each["type"] == "index-pattern"]

    assert [view["attributes"]["title"]] == TEMPLATE["index_patterns"]
    assert view["attributes"]["timeFieldName"] in FIELDS


def test_the_dashboard_shows_what_it_must():
    titles = {title for title, _, _ in visualizations()}

    assert titles >= {
        "Average duration",
        "Error rate",
        "Executions per tenant",
        "Executions per workflow",
        "Shed events",
    }


@pytest.mark.parametrize(
    ("title", "state", "queries"),
    list(visualizations()),
    ids=lambda each: str(each)[:20],
)
def test_every_field_that_is_asked_for_exists_and_can_be_aggregated(
    title, state, queries
):
    for kind, field in aggregated(state):
        wanted = {"date_histogram": {"date"}, "terms": {"keyword"}}
        types = {"long"} if kind in NUMBERS else wanted[kind]
        assert FIELDS[field]["type"] in types, (title, field)
    for field in re.findall(r"([@\w.]+) : ", queries):
        assert FIELDS[field]["type"] == "keyword", (title, field)
