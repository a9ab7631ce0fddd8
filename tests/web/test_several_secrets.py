"""Several secrets written into one step: none stays, none comes out, all are sent."""

import json
from base64 import b64encode
from typing import Any

import pytest

from tests.connectors.serving import Server, answer, read_request
from tests.web.conftest import definition

MARK = "8f2c"
PAIR = b64encode(b"miller:pair-8f2c-word").decode()
SECRETS: dict[str, Any] = {
    "headers": {
        "Authorization": f"Basic {PAIR}",
        "X-Api-Key": "  head-8f2c-key ",
        "Cookie": "sid=cookie-8f2c; theme=dark",
        "Accept": "*/*",
    },
    "query": {"api_key": ["ask1-8f2c", "ask2-8f2c"], "page": "2"},
    "json": {
        "auth": {"client_secret": 'deep-8f2c-é"'},
        "items": [{"token": ["list-8f2c"]}, {"name": "plain"}],
    },
}
SENT = (
    b"Basic " + PAIR.encode(), b"head-8f2c-key", b"sid=cookie-8f2c; theme=dark",
    b"api_key=ask1-8f2c&api_key=ask2-8f2c", b"list-8f2c",
)  # fmt: skip
TOLD = (MARK, PAIR, "miller:", "pair-", "cookie-", "deep-")


@pytest.fixture
def echo():
    """Answers with the whole request, decoded as servers may decode it."""

    def script(server, connection):
        request = read_request(connection)
        server.requests.append(request)
        shown = request + b"\nas miller:pair-8f2c-word with pair-8f2c-word"
        shown += b" and cookie-8f2c"
        status = "503 Later" if b"/broken" in request else "200 OK"
        connection.sendall(answer(shown, status=status))

    server = Server(script)
    yield server
    server.close()


def fetch(echo, path="/", **more):
    settings = {"url": echo.url(path), "method": "POST", **SECRETS}
    return {"id": "fetch", "uses": "http.request", "with": settings, **more}


def assert_hidden(*shown):
    text = json.dumps(shown, ensure_ascii=False)
    assert [each for each in TOLD if each in text] == []


def everything(api, workflow):
    """What can be read of a workflow."""
    path = f"/workflows/{workflow['id']}"
    texts = [
        api.ask("GET", f"{path}/versions/{each['version']}/definition").text
        for each in api.call("GET", f"{path}/versions")["items"]
    ]
    paths = (path, "/credentials", "/audit", "/executions", "/workflows")
    return [*texts, *(api.ask("GET", each).text for each in paths)]


def test_none_stays_in_what_is_saved_and_each_is_sent_in_its_place(api, echo):
    made = api.workflow("Several", fetch(echo))

    ran = api.run(made, {})

    with_ = made["definition"]["steps"][0]["with"]
    assert with_["headers"]["Accept"] == "*/*"
    assert with_["headers"]["X-Api-Key"].keys() == {"credential"}
    assert with_["json"]["items"][1] == {"name": "plain"}
    assert len(api.call("GET", "/credentials")["items"]) == 7
    assert ran["status"] == "success"
    [request] = echo.requests
    assert [each for each in SENT if each not in request] == []
    body = json.loads(request.partition(b"\r\n\r\n")[2])
    assert body == SECRETS["json"]
    assert "[redacted]" in ran["steps"][0]["output"]["body"]
    assert_hidden(made, ran, everything(api, made))


def test_saving_what_is_read_or_what_was_written_changes_nothing(api, echo):
    made = api.workflow("Several", fetch(echo))
    path = f"/workflows/{made['id']}"

    as_read = api.call("PUT", path, {"definition": made["definition"]})
    again = api.call("PUT", path, {"definition": definition(fetch(echo))})

    assert as_read["definition"] == again["definition"] == made["definition"]
    assert len(api.call("GET", "/credentials")["items"]) == 7


def test_what_failed_after_retries_tells_none_in_errors_logs_and_handlers(
    api, echo, capsys
):
    steps = [fetch(echo, "/broken", retry={"attempts": 2, "base": 0.01})]
    got = "{{ steps.fetch.output.body }}"
    late = {**fetch(echo), "id": "late"}
    handlers = [
        late,
        {"id": "said", "uses": "log", "with": {"message": got, "fields": {"a": got}}},
        {"id": "told", "uses": "fail", "with": {"message": got}},
    ]
    asked = {
        "name": "Failing",
        "definition": {**definition(*steps), "on_failure": handlers},
    }
    made = api.call("POST", "/workflows", asked)

    ran = api.run(made, {})

    assert ran["error"]["code"] == "attempts-exhausted"
    assert len(echo.requests) == 3
    assert all(each in echo.requests[2] for each in SENT)
    failed = ran["steps"][-1]["error"]["message"]
    assert "[redacted]" in failed
    metrics = api.client.get("/metrics").text
    assert_hidden(made, ran, everything(api, made), capsys.readouterr().out, metrics)


def test_no_event_chooses_a_secret(api, echo):
    secret = {"name": "mine", "type": "secret", "data": {"value": "mine-8f2c"}}
    api.call("POST", "/credentials", secret)
    named = {"credential": "mine"}
    whole = {
        "id": "whole",
        "uses": "http.request",
        "with": {
            "url": echo.url(),
            "method": "POST",
            "json": "{{ trigger.body }}",
            "headers": {"X-Token": "{{ trigger.body.token }}"},
            "query": {"token": "{{ trigger.body.token }}"},
        },
    }
    made = api.workflow("Choosing", whole)

    api.run(made, {"token": named, "deep": [{"password": named}]})

    assert b"8f2c" not in echo.requests[0]
    assert b'"token":{"credential":"mine"}' in echo.requests[0]


@pytest.mark.parametrize(
    ("given", "place", "said"),
    [
        ({"url": "https://x/?api_key=8f2c-long"}, "url", "write it under `query`"),
        ({"url": "https://miller:8f2c@x/"}, "url", "before an @"),
        ({"body": '{"password": "8f2c-long"}'}, "body", "member of `json`, `form`"),
    ],
)
def test_what_cannot_be_sealed_is_refused_and_not_repeated(api, given, place, said):
    call = {"id": "call", "uses": "http.request", "with": {"url": "https://x", **given}}
    asked = {"name": "Refused", "definition": definition(call)}

    answered = api.ask("POST", "/workflows", asked)

    assert answered.status_code == 422
    [error] = answered.json["errors"]
    assert error["pointer"] == f"/definition/steps/0/with/{place}"
    assert said in error["message"]
    assert MARK not in answered.text
    assert api.call("GET", "/credentials")["items"] == []


def test_constants_hold_no_secrets(api):
    constants = {"crm": {"api_key": "8f2c-long-enough"}}
    asked = {"name": "Constants", "definition": {**definition(), "vars": constants}}

    answered = api.ask("POST", "/workflows", asked)

    assert answered.status_code == 422
    [error] = answered.json["errors"]
    assert error["pointer"] == "/definition/vars/crm/api_key"
    assert "store it at /api/v1/credentials" in error["message"]
    assert MARK not in answered.text


def test_a_step_with_several_is_imported_with_a_report_of_each(api, stranger, echo):
    made = api.workflow("Several", fetch(echo))

    asked = {"name": "Several", "definition": made["definition"]}
    imported = stranger.call("POST", "/workflows", asked)

    missing = imported["missing_credentials"]
    assert [each["types"] for each in missing] == [["secret"]] * 7
    assert "/steps/0/with/headers/Cookie/credential" in missing[2]["used_at"]
    for each in missing:
        secret = {"name": each["name"], "type": "secret", "data": {"value": "theirs"}}
        stranger.call("POST", "/credentials", secret)
    path = f"/workflows/{imported['id']}"
    assert stranger.call("PATCH", path, {"is_active": True})["is_active"]
