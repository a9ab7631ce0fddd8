"""Callers who wait for the end of a run."""

from contextlib import ExitStack

import pytest

from app.domain.errors import Overloaded
from app.domain.execution import Trigger
from tests.web.conftest import hook_of

pytestmark = pytest.mark.usefixtures("way_in")

ON_FINISH = {"respond": "on_finish"}


def test_a_workflow_answers_with_its_respond_step(api):
    workflow = api.workflow(
        "Answering",
        {
            "id": "say",
            "uses": "respond",
            "with": {
                "status": 201,
                "headers": {"X-Order": "{{ trigger.body.id }}"},
                "body": {"order": "{{ trigger.body.id }}"},
            },
        },
        {"id": "after", "uses": "set", "with": {"value": "{{ steps.say.output }}"}},
        **ON_FINISH,
    )

    answer = api.client.post(hook_of(workflow), json={"id": 7})

    assert answer.status_code == 201
    assert answer.headers["X-Order"] == "7"
    assert answer.json == {"order": 7}
    (execution,) = api.call("GET", f"/executions?workflow_id={workflow['id']}")["items"]
    steps = api.call("GET", f"/executions/{execution['id']}")["steps"]
    assert [step["output"] for step in steps] == [None, None]
    assert steps[0]["answer"]["status"] == 201


@pytest.mark.parametrize(
    ("body", "content", "kind"),
    [
        ("plain", b"plain", "text/plain; charset=utf-8"),
        (None, b"", "text/plain; charset=utf-8"),
        ([1, 2], b"[1,2]", "application/json"),
    ],
)
def test_the_kind_of_an_answer_follows_its_value(api, body, content, kind):
    workflow = api.workflow(
        f"Kind {kind} {content!r}",
        {"id": "say", "uses": "respond", "with": {"body": body}},
        **ON_FINISH,
    )

    answer = api.client.post(hook_of(workflow))

    assert (answer.status_code, answer.data) == (200, content)
    assert answer.headers["Content-Type"] == kind


def test_an_answer_of_a_workflow_runs_no_script_in_a_browser(api):
    workflow = api.workflow(
        "Page",
        {
            "id": "say",
            "uses": "respond",
            "with": {
                "headers": {"content-type": "text/html"},
                "body": "<script>alert(1)</script>",
            },
        },
        **ON_FINISH,
    )

    answer = api.client.post(hook_of(workflow))

    assert answer.headers["Content-Type"] == "text/html"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_without_a_respond_step_the_last_output_is_the_answer(api):
    workflow = api.workflow("Last output", **ON_FINISH)

    answer = api.client.post(hook_of(workflow), json={"a": [1, None]})

    assert answer.status_code == 200
    assert answer.json == {"a": [1, None]}


def test_a_failed_run_is_a_bad_gateway_that_tells_a_stranger_no_more(api):
    workflow = api.workflow(
        "Failing",
        {"id": "a", "uses": "fail", "with": {"message": "the secret is hunter2"}},
        **ON_FINISH,
    )

    answer = api.client.post(hook_of(workflow))

    assert answer.status_code == 502
    assert answer.json["type"] == "/problems/workflow-failed"
    assert "(fail)" in answer.json["detail"]
    assert "hunter2" not in answer.text
    assert api.call("GET", f"/executions/{answer.json['execution_id']}")


def test_an_answer_beyond_what_a_connection_takes_is_refused(api):
    workflow = api.workflow("Long", **ON_FINISH)

    answer = api.client.post(hook_of(workflow), json="x" * (257 << 10))

    assert answer.status_code == 502
    assert answer.json["type"] == "/problems/answer-too-large"


def test_a_wait_that_ends_first_says_that_the_run_goes_on(api):
    workflow = api.workflow(
        "Slow",
        {"id": "pause", "uses": "delay", "with": {"seconds": 1.05}},
        **ON_FINISH,
    )
    path = f"/workflows/{workflow['id']}/run"

    answer = api.ask("POST", path, {"input": {}, "wait": 0.05})

    assert answer.status_code == 504
    execution = api.call("GET", f"/executions/{answer.json['execution_id']}")
    assert execution["status"] in ("queued", "running", "waiting")


def test_no_answer_may_have_a_body_where_http_forbids_one(api):
    workflow = api.workflow(
        "Nothing",
        {"id": "say", "uses": "respond", "with": {"status": 204, "body": "x"}},
        **ON_FINISH,
    )

    answer = api.client.post(hook_of(workflow))

    assert (answer.status_code, answer.data) == (204, b"")


def fill(room, published, crowd):
    """Take place after place until there is none."""
    while True:
        crowd.enter_context(room.enter(published, Trigger.WEBHOOK, None))


def test_where_too_many_wait_already_the_next_is_told_so_and_others_get_in(api, app):
    workflow = api.workflow("Crowded", **ON_FINISH)
    services = app.extensions["services"]
    tenant_id = api.call("GET", "/me")["tenant"]["id"]
    published = services.store.workflows.get(tenant_id, workflow["id"])

    with ExitStack() as crowd:
        with pytest.raises(Overloaded):
            fill(services.room, published, crowd)
        answer = api.client.post(hook_of(workflow))

    assert answer.status_code == 503
    assert answer.json["type"] == "/problems/too-many-waiting"
    assert answer.headers["Retry-After"] == "1"
    assert api.client.post(hook_of(workflow), json={}).status_code == 200
