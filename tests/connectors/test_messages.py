from dataclasses import replace

import pytest
from pydantic import ValidationError

from app.connectors.discord import DiscordMessage
from app.connectors.slack import SlackMessage
from app.domain import jsons
from app.domain.errors import StepFailed
from tests.connectors.keyring import Keys, opened
from tests.connectors.serving import answer, answering

KINDS = [(SlackMessage, "text"), (DiscordMessage, "content")]


@pytest.mark.parametrize(("kind", "key"), KINDS)
def test_a_text_is_posted_as_the_service_wants_it(serve, call, kind, key):
    server = serve(answering(answer(b"ok")))

    step = kind.model_validate({"url": server.url("/T0/s3cret"), "text": 'Höhe "5"\n'})
    output = step.run(call)

    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /T0/s3cret HTTP/1.1\r\n")
    assert b"content-type: application/json" in head
    assert jsons.parse(body) == {key: 'Höhe "5"\n'}
    assert output == {"status": 200}


@pytest.mark.parametrize(("kind", "key"), KINDS)
def test_a_refusal_fails_the_step_and_shows_no_path(serve, call, kind, key):
    answers = answer(status="429 Slow", headers=["Retry-After: 3"])
    server = serve(answering(answers))
    step = kind.model_validate({"url": server.url("/T0/s3cret"), "text": "hi"})

    with pytest.raises(StepFailed) as failed:
        step.run(call)

    assert (failed.value.code, failed.value.retry_after) == ("http-status", 3.0)
    assert "s3cret" not in str(failed.value)


def knowing(call, **known):
    """A call that knows these credentials."""
    return replace(call, keyring=Keys(**known))


@pytest.mark.parametrize(("kind", "key"), KINDS)
def test_the_url_may_be_that_of_a_credential(serve, call, kind, key):
    server = serve(answering(answer(b"ok")))
    step = kind.model_validate({"credential": "team", "text": "hi"})

    team = opened("team", kind.credential_types[0], url=server.url("/T0/s3cret"))

    assert step.run(knowing(call, team=team)) == {"status": 200}

    assert server.requests[0].startswith(b"POST /T0/s3cret HTTP/1.1\r\n")


@pytest.mark.parametrize(("kind", "key"), KINDS)
@pytest.mark.parametrize(
    ("name", "code"),
    [("gone", "credential-missing"), ("locked", "credential-unreadable")],
)
def test_a_credential_that_cannot_be_had_fails_the_step(call, kind, key, name, code):
    step = kind.model_validate({"credential": name, "text": "hi"})

    with pytest.raises(StepFailed) as failed:
        step.run(knowing(call, locked=None))

    assert (failed.value.code, failed.value.retryable) == (code, False)


def test_a_call_without_credentials_knows_none(call):
    with pytest.raises(StepFailed, match="no credential `team`") as failed:
        call.credential("team", ["slack"])

    assert failed.value.code == "credential-missing"


@pytest.mark.parametrize(("kind", "key"), KINDS)
def test_a_credential_of_another_type_fails_the_step(call, kind, key):
    step = kind.model_validate({"credential": "team", "text": "hi"})

    with pytest.raises(StepFailed, match="is of type bearer; what is needed here is"):
        step.run(knowing(call, team=opened("team", "bearer", token="s3cret")))


@pytest.mark.parametrize(("kind", "key"), KINDS)
@pytest.mark.parametrize(
    "given", [{}, {"url": "https://hooks.example/", "credential": "team"}]
)
def test_a_message_goes_one_way(kind, key, given):
    with pytest.raises(ValidationError, match="one of credential and url"):
        kind.model_validate({"text": "hi", **given})


@pytest.mark.parametrize(("kind", "key"), KINDS)
def test_the_secret_url_is_not_shown_by_the_step_itself(kind, key):
    step = kind.model_validate({"url": "https://hooks.example/s3cret", "text": "hi"})

    assert "s3cret" not in repr(step)


@pytest.mark.parametrize(("kind", "key"), KINDS)
def test_the_secret_url_is_not_passed_on_to_another_server(serve, call, kind, key):
    other = serve(answering(answer()))
    where = f"Location: {other.url('/?from=/T0/s3cret-8f2c')}"
    server = serve(answering(answer(status="302 Found", headers=[where])))
    step = kind.model_validate({"url": server.url("/T0/s3cret-8f2c"), "text": "hi"})

    with pytest.raises(StepFailed, match="with the credential") as failed:
        step.run(call)

    assert (failed.value.code, other.connections) == ("bad-answer", 0)


@pytest.mark.parametrize(("kind", "key"), KINDS)
def test_values_that_are_no_text_are_written_as_json(kind, key):
    step = kind.model_validate(
        {"url": "https://hooks.example/", "text": {"a": [1, None]}}
    )

    assert step.text == '{"a":[1,null]}'


@pytest.mark.parametrize(("kind", "key"), KINDS)
def test_a_message_without_text_is_refused(kind, key):
    with pytest.raises(ValidationError, match="text"):
        kind.model_validate({"url": "https://hooks.example/", "text": None})


def test_a_text_may_be_as_long_as_discord_takes_it_and_no_longer(serve, call):
    server = serve(answering(answer(status="204 No Content")))
    settings = {"url": server.url(), "text": "ü" * 2000}
    assert DiscordMessage.model_validate(settings).run(call) == {"status": 204}

    with pytest.raises(
        ValidationError, match="has 2001 characters and Discord takes 2000"
    ):
        DiscordMessage.model_validate(settings | {"text": "ü" * 2001})
