"""What clients are told beside what is wrong with their bodies."""

import gzip

import pytest

from tests.web.conftest import hook_of

pytestmark = pytest.mark.usefixtures("way_in")


@pytest.mark.parametrize("body", [b"", b" \n"])
def test_an_empty_body_is_called_so(api, body):
    answer = api.ask("POST", "/workflows", data=body)

    assert answer.status_code == 400
    assert "the body is empty; expected a JSON object" in answer.json["detail"]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/yaml", b"trigger: {type: webhook}"),
        ("text/x-yaml; charset=utf-8", b"a: 1"),
        ("application/json", b"name: Orders\ntrigger: {}"),
        (None, b"\nname: Orders"),
    ],
)
def test_yaml_comes_with_what_the_api_takes(api, kind, body):
    answer = api.ask("POST", "/workflows", data=body, content_type=kind)

    assert answer.status_code == 400
    assert answer.json["detail"].endswith(
        ". The API takes JSON; convert YAML first and send the result as `definition`."
    )


def test_nothing_is_said_of_yaml_where_there_is_none(api):
    answer = api.ask("POST", "/workflows", data=b"{'name': 1}")

    assert "YAML" not in answer.text


@pytest.mark.parametrize(
    ("headers", "says"),
    [
        ({"Content-Encoding": "gzip"}, "its Content-Encoding (gzip) is not opened"),
        ({}, "byte 1 is not UTF-8"),
    ],
)
def test_compressed_bodies_are_refused_with_the_cause(api, headers, says):
    packed = gzip.compress(b"{}")
    strict = hook_of(api.workflow("Strict", accept="json"))

    answers = [
        api.ask("POST", "/workflows", data=packed, headers=headers),
        api.client.post(strict, data=packed, headers=headers),
    ]

    assert [each.status_code for each in answers] == [400, 400]
    assert all(says in each.json["detail"] for each in answers)


def test_an_execution_that_reads_a_compressed_body_names_the_cause(api):
    made = api.workflow(accept="any", respond="on_finish")

    answer = api.client.post(
        hook_of(made),
        data=gzip.compress(b"{}"),
        headers={"Content-Encoding": "gzip", "Content-Type": "application/json"},
    )

    failed = api.call("GET", f"/executions/{answer.json['execution_id']}")["error"]
    assert failed["code"] == "body-parse"
    assert "its Content-Encoding (gzip) is not opened here" in failed["message"]


@pytest.mark.parametrize(
    ("kind", "shown"),
    [("text/plain; charset=utf-8", "text/plain"), ("x" * 200, "another")],
)
def test_a_door_for_json_names_the_type_it_found(api, kind, shown):
    made = api.workflow("Strict", accept="json")

    answer = api.client.post(hook_of(made), data=b"{}", content_type=kind)

    assert f"its Content-Type is {shown}, but" in answer.json["detail"]


def test_an_address_that_is_none_is_told_in_words(client):
    asked = {"email": "nobody", "password": "correct horse", "tenant": "Acme"}

    answer = client.post("/api/v1/auth/register", json=asked)

    assert answer.json["errors"] == [
        {
            "pointer": "/email",
            "message": "must be an e-mail address, such as miller@example.com",
        }
    ]


def test_a_step_id_that_does_not_fit_is_told_in_words(api):
    steps = [{"id": "Big", "uses": "set", "with": {"value": 1}}]
    given = {"trigger": {"type": "webhook"}, "steps": steps}

    answer = api.ask("POST", "/workflows", {"name": "A", "definition": given})

    (error,) = answer.json["errors"]
    assert error["pointer"] == "/definition/steps/0/id"
    assert error["message"].startswith("must be a small letter and then small letters")
