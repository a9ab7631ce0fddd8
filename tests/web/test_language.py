"""The JSON Schema of definitions, and the examples to try out."""

import jsonschema_rs

from app.web.schemas.workflows import GREETING, RunRequest, WorkflowRequest

PATH = "/schemas/workflow.json"


def example(schema):
    (found,) = schema.model_json_schema()["examples"]
    return found


def test_anybody_gets_the_schema_and_may_keep_it_for_a_while(client):
    answer = client.get(PATH)

    assert answer.content_type == "application/schema+json"
    assert answer.headers["Cache-Control"] == "public, max-age=3600"
    assert answer.json["$id"] == f"http://localhost:8000{PATH}"
    jsonschema_rs.Draft202012Validator(answer.json).validate(GREETING)


def test_who_has_the_schema_gets_it_no_second_time(client):
    tag = client.get(PATH).headers["ETag"]

    again = client.get(PATH, headers={"If-None-Match": tag})

    assert (again.status_code, again.data) == (304, b"")


def test_the_document_tells_where_the_schema_is(client):
    document = client.get("/openapi.json").json
    request = document["components"]["schemas"]["WorkflowRequest"]

    assert PATH in document["paths"]
    assert PATH in request["properties"]["definition"]["description"]


def test_the_examples_work_as_they_are(api):
    made = api.call("POST", "/workflows", example(WorkflowRequest))

    path = f"/workflows/{made['id']}/run"
    ended = api.call("POST", path, example(RunRequest))

    assert ended["status"] == "success"
    assert ended["steps"][0]["output"] == "Hello, Ada!"
