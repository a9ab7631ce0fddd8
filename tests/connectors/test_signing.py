"""`http.request` with `sign`, and the official libraries on the other side."""

import base64
import json
import os
import time
from collections.abc import Mapping
from contextlib import suppress

import pytest
from openai import InvalidWebhookSignatureError, OpenAI
from pydantic import ValidationError
from standardwebhooks import Webhook, WebhookVerificationError
from svix.webhooks import Webhook as SvixWebhook
from svix.webhooks import WebhookVerificationError as SvixVerificationError

from app.connectors.http_request import HttpRequest
from app.connectors.registry import Call
from app.domain.errors import StepFailed
from tests.connectors.keyring import Keys, opened
from tests.connectors.serving import answer, answering

KEY = "whsec_" + base64.b64encode(bytes(range(32))).decode()
NEXT = "whsec_" + base64.b64encode(bytes(range(40, 72))).decode()
SIGN = {"credential": "partner"}
REFUSED = (
    WebhookVerificationError,
    SvixVerificationError,
    InvalidWebhookSignatureError,
)


def standard(secret: str, body: bytes, headers: Mapping[str, str]) -> None:
    with suppress(json.JSONDecodeError):  # it parses what it has verified
        Webhook(secret).verify(body, dict(headers))


def svix(secret: str, body: bytes, headers: Mapping[str, str]) -> None:
    SvixWebhook(secret).verify(body, dict(headers))


def openai(secret: str, body: bytes, headers: Mapping[str, str]) -> None:
    client = OpenAI(api_key="unused")
    client.webhooks.verify_signature(body.decode(), dict(headers), secret=secret)


VERIFIERS = {"standardwebhooks": standard, "svix": svix, "openai": openai}
libraries = pytest.mark.parametrize("library", VERIFIERS)


def parts(request: bytes) -> tuple[dict[str, str], bytes]:
    """Take a request apart as a server does."""
    head, _, body = request.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")[1:]
    return {k.lower(): v for k, v in (each.split(": ", 1) for each in lines)}, body


@pytest.fixture
def vault():
    """The credentials of a tenant."""
    return {"partner": KEY, "next": NEXT, "chat": "s3cret"}


@pytest.fixture
def call(context, http, vault):
    class Signing(Keys):
        def open(self, name):
            if name in vault:
                return opened(name, "secret", value=vault[name])
            return super().open(name)

    return Call(
        context=context,
        http=http,
        idempotency_key="exec_1:notify",
        keyring=Signing(),
    )


@pytest.fixture
def send(serve, call):
    """Run a step against a server; return all that the server got."""

    def run(*replies, **settings):
        server = serve(answering(*(replies or (answer(),))))
        given = {"url": server.url("/x"), "method": "POST", "sign": SIGN} | settings
        HttpRequest.model_validate(given).run(call)
        return [parts(each) for each in server.requests]

    return run


BODIES = [
    {"json": {"text": "Grüße 🌾", "n": 12345678901234567890123, "a": [1.0, None]}},
    {"json": None},
    {"form": {"a": ["1", "ü"], "b": "x y"}},
    {"body": "plain\r\ntext \u200b"},
    {"body": ""},
    {},
]


@libraries
@pytest.mark.parametrize("settings", BODIES, ids=repr)
def test_the_official_libraries_verify_the_bytes_that_were_sent(
    send, library, settings
):
    [(headers, body)] = send(**settings)

    VERIFIERS[library](KEY, body, headers)


@libraries
def test_the_libraries_refuse_another_body_time_id_or_secret(send, library):
    [(headers, body)] = send(json={"id": 7})
    check = VERIFIERS[library]
    earlier = str(int(headers["webhook-timestamp"]) - 1)
    lies = [
        (KEY, body + b" ", headers),
        (NEXT, body, headers),
        (KEY, body, headers | {"webhook-id": "msg_2"}),
        (KEY, body, headers | {"webhook-timestamp": earlier}),
    ]

    for lie in lies:
        with pytest.raises(REFUSED):
            check(*lie)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_every_method_with_a_body_is_signed(send, method):
    [(headers, body)] = send(method=method, json={"id": 7})

    standard(KEY, body, headers)


@libraries
def test_during_a_rotation_either_secret_verifies(send, library):
    both = {"secret": [{"credential": "partner"}, {"credential": "next"}]}
    [(headers, body)] = send(json={"id": 7}, sign=both)

    for secret in (KEY, NEXT):
        VERIFIERS[library](secret, body, headers)


def test_a_secret_that_is_filled_in_at_run_time_signs(send):
    [(headers, body)] = send(json={}, sign={"secret": KEY})

    standard(KEY, body, headers)


def test_the_id_is_that_of_the_step_and_the_same_for_every_attempt(send):
    sent = [*send(json={}), *send(json={})]

    ids = {headers["webhook-id"] for headers, _ in sent}
    assert ids == {"exec_1:notify"}
    assert {headers["idempotency-key"] for headers, _ in sent} == ids


def test_each_attempt_is_signed_at_its_own_time(send):
    began = int(time.time())
    [(first, _)] = send(json={})

    for _ in range(2000):
        [(second, body)] = send(json={})
        if second["webhook-timestamp"] != first["webhook-timestamp"]:
            break

    ended = int(time.time())
    stamps = [int(each["webhook-timestamp"]) for each in (first, second)]
    assert began <= stamps[0] < stamps[1] <= ended
    standard(KEY, body, second)


def test_without_sign_nothing_is_signed(send):
    [(headers, _)] = send(json={}, sign=None)

    assert not [name for name in headers if name.startswith("webhook-")]


def moved(location, status):
    return answer(status=f"{status} Moved", headers=[f"Location: {location}"])


def test_another_origin_gets_no_signature(send, serve):
    other = serve(answering(answer()))

    send(moved(other.url(), 307), json={"id": 7})

    headers, body = parts(other.requests[0])
    assert body == b'{"id":7}'
    assert not [name for name in headers if name.startswith("webhook-")]


def test_the_same_origin_gets_the_signature_of_the_same_body_again(send):
    _, (headers, body) = send(moved("/there", 307), answer(), json={"id": 7})

    standard(KEY, body, headers)


def test_a_redirect_that_drops_the_body_drops_its_signature(send):
    _, (headers, body) = send(moved("/there", 303), answer(), json={"id": 7})

    assert body == b""
    assert not [name for name in headers if name.startswith("webhook-")]


@pytest.mark.parametrize(
    ("name", "code"),
    [("nobody", "credential-missing"), ("chat", "credential-unusable")],
)
def test_a_credential_that_cannot_sign_fails_the_step_without_its_value(
    send, name, code
):
    with pytest.raises(StepFailed) as failed:
        send(json={}, sign={"credential": name})

    assert failed.value.code == code
    assert not failed.value.retryable
    assert name in str(failed.value)
    assert "s3cret" not in str(failed.value)


@pytest.mark.parametrize(
    "wrong",
    [
        {"sign": "whsec_x"},
        {"sign": {}},
        {"sign": {"credential": 7}},
        {"sign": {"credential": "partner", "secret": KEY}},
        {"sign": {"secret": "s3cret"}},
        {"sign": {"secret": None}},
        {"sign": {"secret": []}},
        {"sign": {"secret": [KEY] * 11}},
        {"sign": {"secret": {"credential": 7}}},
        {"sign": {"secret": {"credential": "a", "more": "b"}}},
        {"sign": {"credential": "partner", "scheme": "other"}},
        {"sign": SIGN, "headers": {"Webhook-Id": "mine"}},
    ],
    ids=repr,
)
def test_a_signature_that_cannot_be_made_is_told_when_the_workflow_is_saved(wrong):
    with pytest.raises(ValidationError) as told:
        HttpRequest.model_validate({"url": "https://example.com"} | wrong)

    assert "s3cret" not in str(told.value)


def test_the_secret_shows_in_no_text_about_the_step():
    given = {"url": "https://example.com", "sign": {"secret": KEY}}

    assert KEY not in repr(HttpRequest.model_validate(given))


def test_random_secrets_of_every_size_that_the_standard_allows(send, vault):
    for size in (24, 33, 64):
        vault["partner"] = "whsec_" + base64.b64encode(os.urandom(size)).decode()
        [(headers, body)] = send(json={"size": size})
        standard(vault["partner"], body, headers)
