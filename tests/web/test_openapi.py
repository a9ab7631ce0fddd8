import json
import re

import jsonschema_rs
import pytest
import schemathesis
from flask import Flask

from app.web import openapi
from app.web.operations import promised


@pytest.fixture(scope="module")
def document(app):
    with app.app_context():
        return app.test_client().get("/openapi.json").json


def test_the_document_is_valid_openapi_31(document):
    assert document["openapi"] == "3.1.0"
    schemathesis.openapi.from_dict(document).validate()
    for schema in document["components"]["schemas"].values():
        jsonschema_rs.meta.validate(schema)


def test_every_reference_of_the_document_leads_somewhere(document):
    named = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document)))

    assert named <= set(document["components"]["schemas"])


def test_every_route_is_in_the_document_and_nothing_else(app, document):
    routes = {
        (openapi.path_of(rule), method.lower())
        for rule in app.url_map.iter_rules()
        for method in openapi.methods_of(rule)
    }
    described = {
        (path, method) for path, item in document["paths"].items() for method in item
    }

    assert described == routes
    assert ("/api/v1/workflows/{workflow_id}/run", "post") in described
    assert ("/hooks/{token}/{more}", "post") in described
    assert ("/health/ready", "get") in described


def test_every_route_that_needs_a_caller_says_what_proves_one(app, document):
    for rule in app.url_map.iter_rules():
        promise = promised(app, rule.endpoint)
        for method in openapi.methods_of(rule):
            operation = document["paths"][openapi.path_of(rule)][method.lower()]
            names = ("session",) if method == "GET" else ("session", "csrf")
            session: dict[str, list[str]] = {each: [] for each in names}
            proofs = [session] if promise.person else [{"key": []}, session]
            assert operation.get("security", []) == (proofs if promise.scope else [])
            said = {"401", "403"} <= set(operation["responses"])
            assert said or promise.scope is None


def test_what_proves_a_caller_is_described(document):
    assert document["components"]["securitySchemes"] == {
        "key": {"type": "http", "scheme": "bearer"},
        "session": {"type": "apiKey", "in": "cookie", "name": "sluice"},
        "csrf": {"type": "apiKey", "in": "header", "name": "X-CSRF-Token"},
    }


def test_under_api_v1_only_the_ways_in_are_open_to_all(app):
    free = {
        rule.rule
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/v1") and not promised(app, rule.endpoint).scope
    }

    ways = ("register", "login", "accept-invitation")
    assert free == {f"/api/v1/auth/{each}" for each in ways}


def operations(document):
    return [
        (f"{method} {path}", operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
    ]


def test_every_error_is_described_as_a_problem(document):
    for name, operation in operations(document):
        for status, answer in operation["responses"].items():
            if int(status) >= 400:
                assert set(answer["content"]) == {"application/problem+json"}, name


def test_every_operation_has_a_summary_an_id_of_its_own_and_its_parameters(document):
    ids = [operation["operationId"] for _, operation in operations(document)]
    assert len(set(ids)) == len(ids)
    for name, operation in operations(document):
        assert operation["summary"].endswith("."), name
        in_path = re.findall(r"{(\w+)}", name)
        named = [p["name"] for p in operation["parameters"] if p["in"] == "path"]
        assert named == in_path, name


def test_filters_and_bodies_are_described_with_their_limits(document):
    listing = document["paths"]["/api/v1/executions"]["get"]
    parameters = {each["name"]: each["schema"] for each in listing["parameters"]}
    assert parameters["limit"]["maximum"] == 200
    assert set(parameters) == {
        "workflow_id", "status", "trigger", "since", "until", "q", "limit", "cursor",
    }  # fmt: skip
    schemas = document["components"]["schemas"]
    assert schemas["RunRequest"]["additionalProperties"] is False


def test_a_view_that_promises_nothing_stops_the_document():
    bare = Flask("bare", static_folder=None)
    bare.add_url_rule("/bare", "bare", lambda: "")

    with pytest.raises(LookupError, match="not marked"):
        openapi.document(bare)
