"""Values of credentials in what comes back: outputs, errors, answers, log lines."""

import json
from base64 import b64encode

import pytest

from tests.connectors.serving import Server, answer
from tests.web.conftest import hook_of

SECRET = 's3cret-8f2c"/é+'
TOKEN = "t0ken-8f2c.abc"


@pytest.fixture
def echo():
    """A server that answers with the request it got, as text and in a header."""

    def script(server, connection):
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(65_536)
        server.requests.append(head)
        seen = [line for line in head.split(b"\r\n") if line.startswith(b"auth")]
        status = "500 Broken" if b"GET /broken" in head else "200 OK"
        extra = [f"X-Seen: {seen[0].decode()}"] if seen else []
        connection.sendall(answer(head, status=status, headers=extra))

    server = Server(script)
    yield server
    server.close()


@pytest.fixture
def credentials(api):
    for name, kind, data in (
        ("token", "bearer", {"token": TOKEN}),
        ("pair", "basic", {"username": "miller", "password": SECRET}),
        ("key", "query", {"name": "key", "value": SECRET}),
    ):
        asked = {"name": name, "type": kind, "data": data}
        api.call("POST", "/credentials", asked)


def fetch(server, credential, path="/", **more):
    settings = {"url": server.url(path), "credential": credential}
    return {"id": "fetch", "uses": "http.request", "with": settings, **more}


def log(text):
    return {"id": "log", "uses": "log", "with": {"message": text}}


FETCHED = "{{ steps.fetch.output.body }}"


@pytest.mark.parametrize("name", ["token", "pair", "key"])
def test_an_echo_is_kept_without_the_secret(api, credentials, echo, name):
    copy = {"id": "copy", "uses": "set", "with": {"value": {"got": FETCHED}}}
    workflow = api.workflow("Echo", fetch(echo, name), copy)

    ran = api.run(workflow, {})

    shown = json.dumps(ran, ensure_ascii=False)
    assert ran["status"] == "success"
    assert "[redacted]" in ran["steps"][0]["output"]["body"]
    assert ran["steps"][1]["output"] == {"got": ran["steps"][0]["output"]["body"]}
    pair = b64encode(f"miller:{SECRET}".encode()).decode().rstrip("=")
    for told in (TOKEN, SECRET, json.dumps(SECRET)[1:-1], pair, "s3cret-8f2c"):
        assert told not in shown


def test_a_failure_and_what_follows_it_know_no_secret(api, credentials, echo, capsys):
    failing = {
        "id": "fail",
        "uses": "fail",
        "with": {"message": FETCHED},
    }
    workflow = api.call(
        "POST",
        "/workflows",
        {
            "name": "Broken",
            "definition": {
                "trigger": {"type": "manual"},
                "steps": [fetch(echo, "token", "/broken")],
                "on_failure": [failing],
            },
        },
    )

    ran = api.run(workflow, {})

    assert ran["status"] == "failed"
    assert "[redacted]" in ran["steps"][0]["output"]["headers"]["x-seen"]
    assert "[redacted]" in ran["steps"][1]["error"]["message"]
    assert TOKEN not in json.dumps(ran)
    assert TOKEN not in capsys.readouterr().out


def test_a_caller_is_not_told_what_a_server_echoed(api, credentials, echo):
    answering = {
        "id": "answer",
        "uses": "respond",
        "with": {"headers": {"X-Got": TOKEN}, "body": FETCHED},
    }
    workflow = api.workflow(
        "Answer", fetch(echo, "token"), answering, respond="on_finish"
    )

    answered = api.client.post(hook_of(workflow), data=b"{}")

    assert answered.status_code == 200
    assert b"[redacted]" in answered.data
    assert TOKEN.encode() not in answered.data
    assert answered.headers["X-Got"] == "[redacted]"


def test_the_end_of_a_run_says_no_secret(api, credentials, echo):
    ending = {
        "id": "end",
        "uses": "stop",
        "with": {"status": "failed", "message": FETCHED},
    }
    ran = api.run(api.workflow("End", fetch(echo, "token"), ending), {})

    assert ran["error"]["code"] == "stop"
    assert "[redacted]" in ran["error"]["message"]
    assert TOKEN not in json.dumps(ran)


def test_a_text_that_a_person_chose_stays_without_a_credential_in_use(api, credentials):
    said = {"id": "say", "uses": "set", "with": {"value": f"hello {TOKEN}"}}

    ran = api.run(api.workflow("Plain", said), {})

    assert ran["steps"][0]["output"] == f"hello {TOKEN}"


def test_headers_that_hold_a_providers_secret_are_not_stored(api):
    workflow = api.workflow("Headers")
    secret = {
        "X-Gitlab-Token": TOKEN,
        "X-Telegram-Bot-Api-Secret-Token": TOKEN,
        "Authorization": TOKEN,
    }

    answered = api.client.post(hook_of(workflow), data=b"{}", headers=secret)

    found = api.call("GET", f"/executions/{answered.json['execution_id']}")
    assert TOKEN not in json.dumps(found)
