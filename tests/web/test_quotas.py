"""What a tenant may not have more of, and how it is told so."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from app.settings import Settings
from tests.web.conftest import NOTE, definition, hook_of, serving

WORKFLOWS, STEPS = 4, 3


@pytest.fixture(scope="module")
def app(settings: Settings, store) -> Iterator[Flask]:
    """One webhook at once, and the next after a minute or more."""
    limited = replace(
        settings,
        workflow_rate=0.01,
        tenant_rate=0.015,
        max_workflows=WORKFLOWS,
        max_steps=STEPS,
        max_body=4000,
        max_output=2000,
    )
    with serving(limited, store) as app:
        yield app


def steps(number: int) -> list[dict[str, Any]]:
    return [{**NOTE, "id": f"s{n}"} for n in range(number)]


def saved(api, name: str, *given):
    asked = {"name": name, "definition": definition(*given)}
    return api.ask("POST", "/workflows", asked)


def test_one_workflow_more_than_a_tenant_may_have_is_409_until_one_is_deleted(
    api, stranger
):
    made = [api.workflow(f"W{n}") for n in range(WORKFLOWS)]

    answer = saved(api, "One more")

    assert answer.status_code == 409
    assert answer.json["type"] == "/problems/workflow-limit"
    assert f"{WORKFLOWS} workflows" in answer.json["detail"]
    assert stranger.workflow()
    api.call("DELETE", f"/workflows/{made[0]['id']}")
    assert saved(api, "One more").status_code == 201


def test_a_workflow_may_have_as_many_steps_as_the_limit(api):
    assert saved(api, "Just fits", *steps(STEPS)).status_code == 201

    answer = saved(api, "Too long", *steps(STEPS + 1))

    assert answer.status_code == 422
    assert answer.json["errors"] == [
        {
            "pointer": "/definition/steps",
            "message": "has 4 steps; the most is 3 (SLUICE_MAX_STEPS)",
        }
    ]


def test_above_a_rate_a_webhook_is_429_and_told_which_it_is(api, stranger, client):
    one, two, foreign = api.workflow("One"), api.workflow("Two"), stranger.workflow()

    first, again = (client.post(hook_of(one)) for _ in range(2))
    sibling = client.post(hook_of(two))

    assert (first.status_code, again.status_code) == (202, 429)
    assert again.content_type == "application/problem+json"
    assert again.json["type"] == "/problems/workflow-rate"
    assert 90 <= int(again.headers["Retry-After"]) <= 100
    assert sibling.status_code == 429
    assert sibling.json["type"] == "/problems/tenant-rate"
    assert 56 <= int(sibling.headers["Retry-After"]) <= 67
    assert client.post(hook_of(foreign)).status_code == 202


def test_what_is_429_stands_in_the_books_as_shed(app, api, client):
    made = api.workflow()
    answers = [client.post(hook_of(made)).status_code for _ in range(4)]
    assert answers == [202, 429, 429, 429]

    app.extensions["services"].refusals.flush()

    books = app.extensions["services"].store.ledger.balance(
        api.call("GET", "/me")["tenant"]["id"]
    )
    assert books.door["shed"] == 3
    assert books.received == books.accounted == 4


def test_runs_by_hand_are_not_held_to_the_rate_of_webhooks(api):
    made = api.workflow()

    ended = [api.run(made, n) for n in range(10)]

    assert {each["status"] for each in ended} == {"success"}


def test_a_body_and_an_output_above_their_limits_are_told_by_code(api, client):
    made = api.workflow()
    hook = hook_of(made)

    fits = client.post(hook, data=b"x" * 4000, content_type="text/plain")
    large = client.post(hook, data=b"x" * 4001, content_type="text/plain")

    assert (fits.status_code, large.status_code) == (202, 413)
    assert large.json["type"] == "/problems/too-large"
    assert api.run(made, "x" * 1998)["status"] == "success"
    assert api.run(made, "x" * 1999)["error"]["code"] == "too-large"
