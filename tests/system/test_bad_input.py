"""P9: bad input is the sender's problem."""

import json
import uuid

import pytest

from tests.system.client import Api, post, send
from tests.system.serving import Server, step

pytestmark = [pytest.mark.system, pytest.mark.usefixtures("clean_log")]

NOWHERE = "http://127.0.0.1:9/"


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("POST", "/hooks/" + "x" * 22, 404),
        ("POST", "/hooks/", 404),
        ("POST", "/hooks/%00", 404),
        ("POST", "/hooks/%ff%fe", 404),
        ("GET", "/no/such/page", 404),
        ("GET", "/api/v1/executions/exec_00", 404),
        ("GET", "/api/v1/executions/" + "9" * 5000, (404, 414)),
        ("GET", "/api/v1/workflows/wf_" + "0" * 32, 404),
        ("POST", "/api/v1/executions/exec_" + "0" * 32 + "/cancel", 404),
        ("DELETE", "/api/v1/auth/register", 405),
        ("BREW", "/health", 405),
        ("GET", "/api/v1/executions?limit=0", 422),
        ("GET", "/api/v1/executions?limit=1e3", 422),
        ("GET", "/api/v1/executions?cursor=%00", 422),
        ("GET", "/api/v1/executions?status=asleep", 422),
    ],
)
def test_what_does_not_exist_is_a_problem_document(
    shared: Server, shared_api: Api, method: str, path: str, expected
):
    key = {"Authorization": f"Bearer {shared_api.key}"}
    answer = send(method, f"{shared.url}{path}", headers=key)

    allowed = expected if isinstance(expected, tuple) else (expected,)
    assert answer.status in allowed
    if answer.status != 414:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json["status"] == answer.status
        assert answer.json["request_id"] == answer.headers["x-request-id"]


def test_a_hook_refuses_a_method_that_its_workflow_does_not_take(
    shared: Server, hook: str
):
    answer = send("DELETE", f"{shared.url}{hook}")

    assert answer.status == 405


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[",
        b"null",
        b"[]",
        b'"text"',
        b"\xff\xfe",
        b"\xef\xbb\xbf{}",
        b'{"name": NaN}',
        b'{"name": 1e400}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"name": "\\ud800"}',
        b'{"name": "a\x00b"}',
    ],
    ids=lambda body: repr(body[:12]),
)
@pytest.mark.parametrize("path", ["/workflows", "/auth/register", "/api-keys"])
def test_an_api_body_that_is_no_object_or_does_not_fit_is_refused(
    shared: Server, shared_api: Api, path: str, body: bytes
):
    headers = {
        "Authorization": f"Bearer {shared_api.key}",
        "Content-Type": "application/json",
    }
    answer = send("POST", f"{shared.url}/api/v1{path}", body=body, headers=headers)

    assert answer.status in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "change",
    [
        {"name": 7},
        {"name": ""},
        {"surprise": 1},
        {"definition": []},
        {"definition": {"trigger": {"type": "webhook"}, "steps": "none"}},
        {"definition": {"trigger": {"type": "pigeon"}, "steps": []}},
    ],
    ids=json.dumps,
)
def test_a_workflow_with_wrong_types_or_unknown_fields_is_422(
    shared_api: Api, change: dict[str, object]
):
    fits = {
        "name": f"Fits {uuid.uuid4()}",
        "definition": {
            "trigger": {"type": "webhook"},
            "steps": [{"id": "note", "uses": "log", "with": {"message": "hi"}}],
        },
    }

    answer = shared_api.ask("POST", "/workflows", fits | change)

    assert answer.status == 422
    assert answer.json["errors"][0]["pointer"].startswith("/")


def test_all_faults_of_a_definition_are_told_at_once(shared_api: Api):
    steps = [
        {"id": "a", "uses": "no.such.step", "with": {}},
        {"id": "a", "uses": "set", "with": {"value": "{{ [ }}"}},
        {"id": "b", "uses": "http.request", "with": {"url": 3, "wrong": True}},
        {"id": "c", "uses": "set", "with": {"value": "{{ nowhere.x }}"}},
    ]
    definition = {"trigger": {"type": "webhook"}, "steps": steps}

    answer = shared_api.ask(
        "POST", "/workflows", {"name": "Wrong", "definition": definition}
    )

    assert answer.status == 422
    places = {each["pointer"].split("/steps/")[1][0] for each in answer.json["errors"]}
    assert places == {"0", "1", "2", "3"}


@pytest.mark.parametrize(
    "part",
    [
        {"trigger": {"type": "webhook", "overload": "spill"}},
        {"limits": {"concurrency": 1}},
    ],
    ids=json.dumps,
)
def test_a_setting_that_is_not_built_yet_is_refused_and_not_ignored(
    shared_api: Api, part: dict[str, object]
):
    definition = {
        "trigger": {"type": "webhook"},
        "steps": [{"id": "note", "uses": "log", "with": {"message": "hi"}}],
        **part,
    }

    answer = shared_api.ask(
        "POST", "/workflows", {"name": f"Soon {uuid.uuid4()}", "definition": definition}
    )

    assert answer.status == 422
    assert any("not supported yet" in each["message"] for each in answer.json["errors"])


@pytest.mark.parametrize(
    "body",
    [
        b"not json",
        b"[" * 100_000,
        b'{"n": 1e400}',
        b'{"n": NaN}',
        b'"\\ud800"',
        b"\xef\xbb\xbf{}",
        b"\xff",
    ],
    ids=lambda body: repr(body[:12]),
)
def test_a_hook_keeps_a_body_that_it_cannot_parse_and_reading_it_fails_the_step(
    shared_api: Api, body: bytes
):
    reads = step("read", NOWHERE, "{{ trigger.body.n }}")
    workflow = shared_api.workflow(f"Reads {uuid.uuid4()}", reads)
    headers = {"Content-Type": "application/json"}
    answer = send("POST", workflow["webhook_url"], body=body, headers=headers)

    assert answer.status == 202
    execution = shared_api.finished(answer.json["execution_id"])
    assert execution["status"] == "failed"
    assert execution["error"]["code"] == "body-parse"
    assert execution["error"]["step"] == "read"


def test_a_step_that_nobody_answers_fails_with_its_code(shared_api: Api):
    workflow = shared_api.workflow("Nobody there", step("call", NOWHERE, 1))

    answer = post(workflow["webhook_url"], {})

    execution = shared_api.finished(answer.json["execution_id"])
    assert execution["error"]["code"] == "connect-failed"
