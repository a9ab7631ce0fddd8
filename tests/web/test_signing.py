"""Signing what is sent, from the definition to the receiver."""

import base64

import pytest
from standardwebhooks import Webhook

from tests.connectors.serving import Server, answer, answering
from tests.web.conftest import definition

KEY = "whsec_" + base64.b64encode(bytes(range(32))).decode()


@pytest.fixture
def receiver():
    server = Server(answering(answer()))
    yield server
    server.close()


def step(receiver, sign):
    sent = {"method": "POST", "url": receiver.url("/"), "json": {"n": 7}, "sign": sign}
    return {"id": "tell", "uses": "http.request", "with": sent}


def verified(receiver, secret=KEY):
    """The body of the only request, and its headers, once verified."""
    [request] = receiver.requests
    head, _, body = request.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")[1:]
    headers = {k.lower(): v for k, v in (each.split(": ", 1) for each in lines)}
    return Webhook(secret).verify(body, headers), headers


def secret(api, name="partner", value=KEY):
    data = {"name": name, "type": "secret", "data": {"value": value}}
    return api.call("POST", "/credentials", data)


def test_a_step_signs_with_a_credential(api, receiver):
    secret(api)
    workflow = api.workflow("Signing", step(receiver, {"credential": "partner"}))

    over = api.run(workflow, {})

    assert over["status"] == "success"
    value, headers = verified(receiver)
    assert value == {"n": 7}
    assert headers["webhook-id"] == f"{over['id']}:tell"


def test_a_secret_that_is_written_down_becomes_a_credential(api, receiver):
    workflow = api.workflow("Signing", step(receiver, {"secret": KEY}))

    stored = workflow["definition"]["steps"][0]["with"]["sign"]
    assert KEY not in str(workflow)
    assert set(stored["secret"]) == {"credential"}
    assert api.run(workflow, {})["status"] == "success"
    assert verified(receiver)


def test_a_credential_that_does_not_exist_is_told_when_it_is_saved(api, receiver):
    made = {
        "name": "Unsigned",
        "definition": definition(step(receiver, {"credential": "nobody"})),
    }

    kept = api.call("POST", "/workflows", made)

    assert not kept["is_active"]
    assert kept["missing_credentials"] == [
        {
            "name": "nobody",
            "types": ["secret"],
            "used_at": ["/steps/0/with/sign/credential"],
        }
    ]


def test_a_wrong_secret_is_told_when_it_is_saved_and_not_repeated(api, receiver):
    made = {
        "name": "Wrong",
        "definition": definition(step(receiver, {"secret": "hunter2"})),
    }

    answer = api.ask("POST", "/workflows", made)

    assert answer.status_code == 422
    [error] = answer.json["errors"]
    assert error["pointer"] == "/definition/steps/0/with/sign/secret"
    assert "whsec_" in error["message"]
    assert "hunter2" not in answer.text


def test_a_credential_of_another_kind_fails_the_step_without_its_value(api, receiver):
    secret(api, value="hunter2")
    workflow = api.workflow("Signing", step(receiver, {"credential": "partner"}))

    over = api.run(workflow, {})

    assert over["error"]["code"] == "credential-unusable"
    assert "hunter2" not in str(over)
    assert receiver.requests == []


def test_another_tenants_credential_signs_nothing(api, stranger, receiver):
    secret(stranger)
    made = {
        "name": "Theirs",
        "definition": definition(step(receiver, {"credential": "partner"})),
    }

    kept = api.call("POST", "/workflows", made)
    over = api.run(kept, {})

    assert not kept["is_active"]
    assert over["error"]["code"] == "credential-missing"
    assert receiver.requests == []
