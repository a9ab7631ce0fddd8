"""What is secret is in the clear nowhere: file, journal, log, answers."""

import hashlib
import hmac
import json
import logging
from base64 import b64encode
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.settings import Settings
from app.store.memory import MemoryStore
from app.store.sql import SqlStore
from tests.connectors.serving import Server as Sink
from tests.connectors.serving import answer, answering
from tests.web.conftest import Api, definition, hook_of, newcomer, serving

CANARIES = {
    name: f"canary-{name}-5e1f"
    for name in ("verify", "listed", "slack", "discord", "made", "changed", "refused")
}


class Listening(FlaskClient):
    """Keeps every answer."""

    def __init__(self, app: Flask) -> None:
        super().__init__(app, app.response_class)
        self.heard: list[TestResponse] = []

    def open(self, *args, **kwargs):
        answer = super().open(*args, **kwargs)
        self.heard.append(answer)
        return answer


def mark(secret: str, body: bytes) -> dict[str, str]:
    signed = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {"X-Hub-Signature-256": f"sha256={signed}"}


def message(step_id: str, url: str):
    kind = step_id.rstrip("0123456789")
    with_ = {"text": "hi", "url": url}
    return {"id": step_id, "uses": f"{kind}.message", "with": with_}


def verify(*secrets):
    return {"verify": {"scheme": "github", "secret": list(secrets)}}


@pytest.fixture
def sink():
    """Takes whatever is sent and answers that it failed."""
    server = Sink(answering(answer(status="500 Broken")))
    yield server
    server.close()


def refuse(api: Api) -> None:
    """Send secrets in requests that do not fit."""
    secret = CANARIES["refused"]
    spoilt = definition({"id": "a", "uses": "sett"}, **verify(secret))
    spoilt["steps"].append(message("slack", f"ftp://{secret}"))
    for path, value in (
        ("/workflows", {"name": "Spoilt", "definition": spoilt}),
        ("/workflows", {"nome": secret, "definition": spoilt}),
        ("/credentials", {"name": "a", "type": "oauth2", "data": {"value": secret}}),
        ("/credentials", {"name": "a", "type": "slack", "data": {"url": secret}}),
        ("/credentials", {"name": "a", "type": "secret", "data": {"x": secret}}),
        ("/credentials", {"name": "a", "type": "secret", "data": secret}),
    ):
        assert api.ask("POST", path, value).status_code == 422


def use(api: Api, sink: Sink) -> list[str]:
    """Push a canary through every way in; return what else must stay secret."""
    wanted = definition(
        message("slack", sink.url(f"/{CANARIES['slack']}")),
        **verify(CANARIES["verify"], CANARIES["listed"]),
    )
    wanted["on_failure"] = [
        message("discord", f"http://localhost:1/{CANARIES['discord']}")
    ]
    made = api.call("POST", "/workflows", {"name": "Orders", "definition": wanted})
    api.call("PUT", f"/workflows/{made['id']}", {"definition": wanted})
    asked = {"type": "secret", "data": {"value": CANARIES["made"]}}
    credential = api.call("POST", "/credentials", {"name": "mine", **asked})
    changed = {"data": {"value": CANARIES["changed"]}}
    api.call("PUT", f"/credentials/{credential['id']}", changed)
    url, body = hook_of(made), b'{"n": 1}'
    assert api.client.post(url, data=body).status_code == 401
    headers = mark(CANARIES["listed"], body)
    assert api.client.post(url, data=body, headers=headers).status_code == 202
    failed = api.call("POST", f"/workflows/{made['id']}/run", {"wait": 20})
    assert failed["error"]["code"] == "http-status"
    api.call("GET", f"/executions/{failed['id']}")
    rotated = api.call("POST", f"/workflows/{made['id']}/rotate-token")
    for path in ("/workflows", "/credentials", "/executions", "/api-keys"):
        api.call("GET", path)
    refuse(api)
    assert sink.requests
    assert all(CANARIES["slack"].encode() in each for each in sink.requests)
    return [each["webhook_url"].rpartition("/")[2] for each in (made, rotated)]


def test_a_canary_is_found_nowhere(tmp_path, sink, caplog, capsys):
    caplog.set_level("DEBUG")
    settings = Settings(data_dir=tmp_path, signup="open", log_level="DEBUG")
    store = SqlStore(settings.database)
    with serving(settings, store) as app:
        client = Listening(app)
        tokens = use(newcomer(client, store), sink)
        files = [each for each in tmp_path.rglob("*") if each.is_file()]
        stored = {each.name: each.read_bytes() for each in files}
    written = capsys.readouterr()
    logged = [repr(vars(each)) for each in caplog.records] + [*written]
    answered = [f"{each.headers}{each.text}" for each in client.heard]

    assert stored.keys() >= {"sluice.db", "sluice.db-wal", "encryption.key"}
    assert len(answered) > 15
    assert any("Workflow executed" in each for each in logged)
    for secret in (*CANARIES.values(), *tokens):
        assert [n for n, each in stored.items() if secret.encode() in each] == []
        assert [each for each in logged if secret in each] == []
    for secret in CANARIES.values():
        assert [each for each in answered if secret in each] == []


@pytest.fixture
def strangely_keyed(api, settings, store):
    """Workflows with secrets and without, and a service whose key never was theirs."""
    other_key = b64encode(b"x" * 32).decode()
    other = replace(settings, encryption_keys=(other_key,))
    plain = api.workflow("Plain")
    signed = api.workflow("Signed", **verify("s3cret"))
    tell = api.workflow("Tell", message("slack", "http://localhost:1/x"))
    with serving(other, store) as app:
        yield Api(app.test_client(), api.key), plain, signed, tell
    store.start()


def test_with_a_wrong_key_the_api_says_what_to_do(strangely_keyed):
    api, plain, _, _ = strangely_keyed

    for path in ("/workflows", f"/workflows/{plain['id']}"):
        told = api.ask("GET", path)
        assert told.status_code == 503
        assert told.headers["Retry-After"] == "60"
        assert told.json["type"] == "/problems/credential-unreadable"
        assert "SLUICE_ENCRYPTION_KEYS does not hold" in told.json["detail"]


def test_with_a_wrong_key_only_hooks_that_need_it_are_shut(strangely_keyed, caplog):
    api, plain, signed, _ = strangely_keyed
    body = b"{}"

    assert api.client.post(hook_of(plain), data=body).status_code == 202
    headers = mark("s3cret", body)
    shut = api.client.post(hook_of(signed), data=body, headers=headers)

    assert shut.status_code == 503
    assert int(shut.headers["Retry-After"]) > 0
    assert any(each.levelno == logging.ERROR for each in caplog.records)
    caplog.clear()


def test_with_a_wrong_key_a_step_that_needs_it_fails_and_says_why(strangely_keyed):
    api, _, _, tell = strangely_keyed

    ended = api.run(tell, {})

    assert (ended["status"], ended["error"]["code"]) == (
        "failed",
        "credential-unreadable",
    )
    assert "SLUICE_ENCRYPTION_KEYS" in ended["error"]["message"]


def test_what_was_lost_with_a_key_can_be_made_anew(strangely_keyed):
    api, _, signed, _ = strangely_keyed
    path = f"/workflows/{signed['id']}"

    rotated = api.call("POST", f"{path}/rotate-token")
    saved = api.call("PUT", path, {"definition": definition(**verify("s3cret"))})

    assert saved["webhook_url"] == rotated["webhook_url"] != signed["webhook_url"]
    assert saved["definition"]["trigger"]["verify"]["secret"] == [
        {"credential": "Signed verify 2"}
    ]
    body = json.dumps({}).encode()
    headers = mark("s3cret", body)
    answered = api.client.post(hook_of(saved), data=body, headers=headers)
    assert answered.status_code == 202


def test_a_step_whose_credential_is_gone_fails(api, store):
    made = api.workflow("Tell", message("slack", "http://localhost:1/x"))
    state = store._state
    name = made["definition"]["steps"][0]["with"]["credential"]
    for key, each in list(state.credentials.items()):
        if each.name == name:
            del state.credentials[key]

    ended = api.run(made, {})

    assert ended["error"]["code"] == "credential-missing"
    assert f"`{name}`" in ended["error"]["message"]


def test_nobody_reads_anothers_row(api, stranger, store: MemoryStore):
    """A row that was copied to another tenant, as somebody with the file could."""
    api.workflow("Tell", message("slack", "http://localhost:1/x"))
    theirs = stranger.workflow("Tell", message("slack", "http://localhost:1/y"))
    mine, other = (
        next(
            each for each in store._state.credentials.values() if each.tenant_id == one
        )
        for one in (tenant_of(api), tenant_of(stranger))
    )
    store._state.credentials[other.tenant_id, other.id] = replace(
        other, sealed=mine.sealed
    )

    ended = stranger.run(theirs, {})

    assert ended["error"]["code"] == "credential-unreadable"


def tenant_of(api: Api) -> str:
    found: str = api.call("GET", "/me")["tenant"]["id"]
    return found
