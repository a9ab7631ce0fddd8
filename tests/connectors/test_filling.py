"""Several secrets in one request: each is put in its place, and shown to one origin."""

import json
from dataclasses import replace

import pytest

from app.connectors.http_request import HttpRequest
from app.domain import references
from app.domain.errors import StepFailed
from app.security import signing
from tests.connectors.keyring import Keys, opened
from tests.connectors.serving import answer, answering

ODD = 'b0dy-8f2c"/é+&='
KEYS = Keys(
    head=opened("head", "secret", value="Bearer head-8f2c"),
    token=opened("token", "secret", value="token-8f2c"),
    asked=opened("asked", "secret", value="asked-8f2c&?"),
    told=opened("told", "secret", value=ODD),
    two=opened("two", "bearer", token="bearer-8f2c"),
    odd=opened("odd", "secret", value="two\nlines"),
)
TWICE = "invalid-settings"


def named(name):
    return {"credential": name}


@pytest.fixture
def run(call):
    """Run a step as it is compiled, its names told from other JSON."""

    def send(url, **settings):
        step = {"uses": "http.request", "with": {"url": url, **settings}}
        made = HttpRequest.model_validate(references.marked(step))
        assert "8f2c" not in repr(made)
        return made.run(replace(call, keyring=KEYS))

    return send


def moved(location, status=307):
    return answer(status=f"{status} Moved", headers=[f"Location: {location}"])


def test_each_is_sent_in_its_place_and_the_rest_beside_it(serve, run):
    server = serve(answering(answer(b"ok")))

    output = run(
        server.url("/?a=1"),
        method="POST",
        headers={"Authorization": named("head"), "X-Token": named("token"), "X-A": "b"},
        query={"key": ["plain", named("asked")], "page": "2"},
        json={"auth": {"password": named("told")}, "other": named("told")},
    )

    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert b"POST /?a=1&page=2&key=plain&key=asked-8f2c%26%3F HTTP" in head
    assert b"authorization: Bearer head-8f2c\r\n" in head
    assert b"x-token: token-8f2c\r\n" in head
    assert b"x-a: b\r\n" in head
    assert json.loads(body) == {
        "auth": {"password": ODD},
        "other": {"credential": "told"},  # under no name of a secret: other JSON
    }
    assert "8f2c" not in str(output)


def test_a_form_is_encoded_with_them(serve, run):
    server = serve(answering(answer()))

    run(server.url(), method="POST", form={"password": named("told"), "user": "ada"})

    body = server.requests[0].partition(b"\r\n\r\n")[2]
    assert body == b"password=b0dy-8f2c%22%2F%C3%A9%2B%26%3D&user=ada"


def test_they_go_beside_a_credential_of_the_step(serve, run):
    server = serve(answering(answer()))

    run(server.url(), credential="two", headers={"X-Token": named("token")})

    assert b"authorization: Bearer bearer-8f2c\r\n" in server.requests[0]
    assert b"x-token: token-8f2c\r\n" in server.requests[0]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_another_origin_is_shown_none_of_them(serve, run, status):
    other = serve(answering(answer()))
    server = serve(answering(moved(other.url("/there"), status)))

    run(
        server.url(),
        headers={"X-Token": named("token"), "Accept": named("head")},
        query={"key": named("asked")},
    )

    assert b"8f2c" in server.requests[0]
    assert b"8f2c" not in other.requests[0]


@pytest.mark.parametrize("status", [307, 308])
def test_a_body_with_one_is_not_taken_to_another_origin(serve, run, status):
    other = serve(answering(answer()))
    server = serve(answering(moved(other.url("/there"), status)))

    with pytest.raises(StepFailed, match="body with a credential") as failed:
        run(server.url(), method="POST", json={"token": named("token")})

    assert (failed.value.code, other.connections) == ("bad-answer", 0)


def test_a_body_that_is_left_behind_may_have_had_one(serve, run):
    other = serve(answering(answer()))
    server = serve(answering(moved(other.url("/there"), 303)))

    run(server.url(), method="POST", json={"token": named("token")})

    assert b"8f2c" not in other.requests[0]


def test_the_same_origin_is_sent_the_body_again(serve, run):
    server = serve(answering(moved("/there"), answer()))

    run(server.url(), method="POST", json={"token": named("token")})

    assert server.requests[1].endswith(b'{"token":"token-8f2c"}')


def test_a_server_that_passes_one_on_is_not_followed(serve, run):
    other = serve(answering(answer()))
    server = serve(answering(moved(other.url("/?leak=token-8f2c"), 302)))

    with pytest.raises(StepFailed) as failed:
        run(server.url(), method="POST", form={"password": named("token")})

    assert (failed.value.code, other.connections) == ("bad-answer", 0)
    assert "8f2c" not in str(failed.value)


def test_a_signature_is_over_the_body_as_it_is_sent(serve, call):
    key = "whsec_" + "QUFB" * 8
    keys = Keys(**KEYS.known, sign=opened("sign", "secret", value=key))
    server = serve(answering(answer()))
    step = {
        "uses": "http.request",
        "with": {
            "url": server.url(),
            "method": "POST",
            "json": {"token": named("token")},
            "sign": named("sign"),
        },
    }

    HttpRequest.model_validate(references.marked(step)).run(replace(call, keyring=keys))

    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    sent = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:])
    known = signing.key_of(key)
    assert known is not None
    again = signing.signed(
        body,
        [known],
        message_id=sent[b"webhook-id"].decode(),
        at=int(sent[b"webhook-timestamp"]),
    )
    assert again["webhook-signature"].encode() == sent[b"webhook-signature"]


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"headers": {"X-Token": named("gone")}}, "credential-missing"),
        ({"json": {"token": named("two")}}, "credential-unusable"),
        ({"headers": {"X-Token": named("odd")}}, "invalid-settings"),
        ({"headers": {"authorization": named("head")}, "credential": "two"}, TWICE),
        ({"headers": {"x-token": "a", "X-Token": named("token")}}, TWICE),
    ],
)
def test_what_cannot_be_put_in_its_place_is_not_sent(serve, run, settings, code):
    server = serve(answering(answer()))

    with pytest.raises(StepFailed) as failed:
        run(server.url(), **settings)

    assert (failed.value.code, server.connections) == (code, 0)
    assert "lines" not in str(failed.value)
