"""Deliveries that come again, through the whole service."""

import hashlib
import hmac
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.web.conftest import hook_of

pytestmark = pytest.mark.usefixtures("way_in")

SECRET = "It's a Secret to Everybody"
GITHUB = {"scheme": "github", "secret": SECRET}
ID = "trigger.body.id"
FAILING = {"id": "a", "uses": "fail", "with": {"message": "no"}}


def github(api, workflow, delivery, body=b"{}", secret=SECRET):
    """Send a delivery as GitHub does."""
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    headers = {
        "X-Hub-Signature-256": f"sha256={digest}",
        "Content-Type": "application/json",
    }
    if delivery is not None:
        headers["X-GitHub-Delivery"] = delivery
    return api.client.post(hook_of(workflow), data=body, headers=headers)


def post(api, workflow, value):
    return api.client.post(hook_of(workflow), json=value)


def runs(api, workflow):
    listed = api.call("GET", f"/executions?workflow_id={workflow['id']}")
    return [each["id"] for each in listed["items"]]


def books(api, workflow):
    return api.call("GET", f"/ledger?workflow_id={workflow['id']}")


def test_a_delivery_that_comes_again_is_answered_with_the_first_ones_id(api):
    workflow = api.workflow(verify=GITHUB)
    first = github(api, workflow, "d1")

    again = github(api, workflow, "d1")

    assert first.status_code == 202
    assert again.status_code == 200
    execution_id = first.json["execution_id"]
    assert again.json == {"status": "duplicate", "execution_id": execution_id}
    assert again.headers["Location"] == first.headers["Location"]
    assert runs(api, workflow) == [execution_id]


def test_a_duplicate_is_counted_as_such(api):
    workflow = api.workflow(verify=GITHUB)
    for _ in range(3):
        github(api, workflow, "d1")

    counted = books(api, workflow)

    assert (counted["received"], counted["duplicate"]) == (3, 2)
    assert 'sluice_webhooks_total{outcome="duplicate"}' in (
        api.client.get("/metrics").text
    )


def test_another_id_from_the_same_sender_runs(api):
    workflow = api.workflow(verify=GITHUB)

    answers = [github(api, workflow, delivery) for delivery in ("d1", "d2", None, None)]

    assert [each.status_code for each in answers] == [202] * 4


def test_an_id_that_nobody_signed_for_takes_nobodys_place(api):
    workflow = api.workflow(verify=GITHUB)

    forged = github(api, workflow, "d1", secret="guessed")

    assert forged.status_code == 401
    assert github(api, workflow, "d1").status_code == 202


def test_without_verify_and_dedupe_nothing_is_a_duplicate(api):
    workflow = api.workflow()

    answers = [github(api, workflow, "d1") for _ in range(2)]

    assert [each.status_code for each in answers] == [202, 202]


def test_an_expression_takes_the_place_of_the_senders_id(api):
    workflow = api.workflow(verify=GITHUB, dedupe=ID)

    answers = [
        github(api, workflow, delivery, b'{"id": %d}' % number)
        for delivery, number in (("d1", 1), ("d1", 2), ("d2", 1), ("d3", 2))
    ]

    assert [each.status_code for each in answers] == [202, 202, 200, 200]


def test_a_null_expression_lets_every_copy_run(api):
    workflow = api.workflow(verify=GITHUB, dedupe="`null`")

    answers = [github(api, workflow, "d1") for _ in range(2)]

    assert [each.status_code for each in answers] == [202, 202]


def test_a_header_can_be_the_key_of_an_unsigned_delivery(api):
    workflow = api.workflow(dedupe='trigger.headers."x-github-delivery"')

    answers = [github(api, workflow, each) for each in ("d1", "d1", None, None)]

    assert [each.status_code for each in answers] == [202, 200, 202, 202]


def test_a_body_that_cannot_be_read_has_no_key(api):
    workflow = api.workflow(dedupe="{{ trigger.body.id }}")

    for _ in range(2):
        answer = api.client.post(
            hook_of(workflow), data=b"{", content_type="application/json"
        )
        assert answer.status_code == 202


def test_an_expression_that_fails_costs_the_key_and_not_the_event(api, caplog):
    workflow = api.workflow(dedupe="length(trigger.body.id)")

    answers = [post(api, workflow, {"id": 31415}) for _ in range(2)]

    assert [each.status_code for each in answers] == [202, 202]
    assert "Webhook has no key" in caplog.text
    assert "31415" not in caplog.text


def test_one_id_in_two_workflows_and_two_tenants_runs_in_each(api, stranger):
    doors = [
        (api, api.workflow("One", dedupe=ID)),
        (api, api.workflow("Two", dedupe=ID)),
    ]
    doors.append((stranger, stranger.workflow("One", dedupe=ID)))

    answers = [post(who, workflow, {"id": 7}) for who, workflow in doors]

    assert [each.status_code for each in answers] == [202] * 3


def test_a_change_of_the_workflow_keeps_its_keys(api):
    workflow = api.workflow(dedupe=ID)
    first = post(api, workflow, {"id": 7})
    api.call(
        "PUT", f"/workflows/{workflow['id']}", {"definition": workflow["definition"]}
    )

    assert (
        post(api, workflow, {"id": 7}).json["execution_id"]
        == (first.json["execution_id"])
    )


def test_a_run_that_failed_keeps_its_key_where_the_sender_was_told_202(api):
    workflow = api.workflow("Failing", FAILING, dedupe=ID)
    first = post(api, workflow, {"id": 7})

    assert post(api, workflow, {"id": 7}).json == {
        "status": "duplicate",
        "execution_id": first.json["execution_id"],
    }


def test_a_wrong_expression_is_told_when_it_is_saved(api):
    definition = {
        "trigger": {"type": "webhook", "dedupe": "steps.a.output"},
        "steps": [{"id": "a", "uses": "set", "with": {"value": 1}}],
    }

    answer = api.ask("POST", "/workflows", {"name": "Bad", "definition": definition})

    assert answer.status_code == 422
    [error] = answer.json["errors"]
    assert error["pointer"] == "/definition/trigger/dedupe"


ANSWER = {
    "id": "say",
    "uses": "respond",
    "with": {"status": 201, "body": {"execution": "{{ execution.id }}"}},
}
PAUSE = {"id": "pause", "uses": "delay", "with": {"seconds": 0.3}}


def test_who_waits_for_the_end_gets_the_first_ones_recorded_answer(api):
    workflow = api.workflow("Answering", ANSWER, respond="on_finish", dedupe=ID)
    first = post(api, workflow, {"id": 7})

    again = post(api, workflow, {"id": 7})

    assert first.status_code == again.status_code == 201
    assert first.data == again.data
    assert runs(api, workflow) == [again.json["execution"]]


def test_copies_wait_for_a_run_that_goes_on_and_all_hear_the_same(api, app):
    workflow = api.workflow("Slow", PAUSE, ANSWER, respond="on_finish", dedupe=ID)

    def send(_):
        client = app.test_client()
        return client.post(hook_of(workflow), json={"id": 7})

    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(send, range(6)))

    assert [each.status_code for each in answers] == [201] * 6
    assert len({each.data for each in answers}) == 1
    assert len(runs(api, workflow)) == 1
    assert books(api, workflow)["duplicate"] == 5


def test_the_last_output_is_an_answer_to_copies_as_well(api):
    workflow = api.workflow("Last", respond="on_finish", dedupe=ID)

    answers = [post(api, workflow, {"id": 7, "n": n}) for n in range(2)]

    assert [each.json for each in answers] == [{"id": 7, "n": 0}] * 2


@pytest.mark.parametrize(
    ("step", "status"),
    [
        (FAILING, 502),
        ({"id": "say", "uses": "respond", "with": {"status": 500}}, 500),
        ({"id": "say", "uses": "respond", "with": {"status": 599}}, 599),
        ({"id": "say", "uses": "set", "with": {"value": "x" * 100}}, 502),
    ],
    ids=["failed", "500", "599", "too large"],
)
def test_an_answer_that_asks_for_another_try_frees_the_key(api, step, status):
    if step["uses"] == "set":
        big = "{{ trigger.body.big }}"
        step = {**step, "with": {"value": [big] * 3}}
    workflow = api.workflow("Asking", step, respond="on_finish", dedupe=ID)
    event = {"id": 7, "big": "x" * 100_000}

    answers = [post(api, workflow, event) for _ in range(3)]

    assert [each.status_code for each in answers] == [status] * 3
    assert len(runs(api, workflow)) == 3


@pytest.mark.parametrize("status", [200, 204, 301, 404, 422, 499])
def test_any_other_answer_is_given_to_every_copy(api, status):
    say = {"id": "say", "uses": "respond", "with": {"status": status}}
    workflow = api.workflow("Telling", say, respond="on_finish", dedupe=ID)

    answers = [post(api, workflow, {"id": 7}) for _ in range(3)]

    assert [each.status_code for each in answers] == [status] * 3
    assert len(runs(api, workflow)) == 1


def test_a_run_that_somebody_cancelled_frees_the_key_of_who_waits(api, app):
    pause = {"id": "pause", "uses": "delay", "with": {"seconds": 20}}
    workflow = api.workflow("Endless", pause, respond="on_finish", dedupe=ID)

    def told_after_cancelling(runs_so_far):
        with ThreadPoolExecutor(1) as sender:
            client = app.test_client()
            answer = sender.submit(client.post, hook_of(workflow), json={"id": 7})
            while len(started := runs(api, workflow)) == runs_so_far:
                threading.Event().wait(0.01)
            api.ask("POST", f"/executions/{started[0]}/cancel")
            return answer.result(10), started[0]

    for number in range(2):
        answer, execution_id = told_after_cancelling(number)
        assert answer.status_code == 502
        assert answer.json["execution_id"] == execution_id
