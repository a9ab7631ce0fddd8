import json
from datetime import timedelta

import pytest

from app.domain import ids, times
from app.domain.times import rfc3339
from tests.web.conftest import hook_of

FIELDS = {
    "id", "workflow_id", "workflow_name", "version", "status", "trigger", "user_id",
    "created_at", "started_at", "finished_at", "duration_ms", "queue_ms", "attempt",
    "error", "cancel_requested", "replay_of", "key",
}  # fmt: skip
LONG_WAIT = {"id": "wait", "uses": "delay", "with": {"seconds": 3600}}


def test_a_run_is_accepted_and_its_location_shows_it(api):
    made = api.workflow()

    answer = api.ask("POST", f"/workflows/{made['id']}/run", {"input": {"n": 1}})

    assert answer.status_code == 202
    assert answer.json["status"] == "queued"
    where = answer.headers["Location"]
    assert where == f"/api/v1/executions/{answer.json['execution_id']}"
    assert api.call("GET", where)["trigger"] == "manual"


def test_a_run_that_is_waited_for_is_answered_with_its_end(api):
    made = api.workflow()

    ended = api.run(made, {"n": 1})

    assert ended["status"] == "success"
    assert ended["input"] == {"n": 1}
    [step] = ended["steps"]
    assert (step["id"], step["path"], step["uses"]) == ("note", "note", "set")
    assert (step["status"], step["output"]) == ("success", {"n": 1})
    assert ended["user_id"] == api.call("GET", "/me")["user"]["id"]
    assert ended["duration_ms"] >= 0
    assert ended["queue_ms"] >= 0
    [segment] = ended["segments"]
    assert segment["started_at"] == ended["started_at"]
    assert set(ended) - FIELDS == {
        "input", "request", "steps", "steps_url", "waiting", "segments",
    }  # fmt: skip


def test_a_run_that_outlasts_the_wait_is_504_and_goes_on(api):
    made = api.workflow("Slow", LONG_WAIT)

    answer = api.ask("POST", f"/workflows/{made['id']}/run", {"wait": 0.05})

    assert answer.status_code == 504
    assert answer.json["type"] == "/problems/still-running"
    execution = api.call("GET", f"/executions/{answer.json['execution_id']}")
    assert execution["status"] in ("queued", "running", "waiting")


def test_an_inactive_workflow_runs_when_a_person_says_so(api):
    made = api.workflow()
    api.call("PATCH", f"/workflows/{made['id']}", {"is_active": False})

    assert api.run(made, 1)["status"] == "success"


@pytest.mark.parametrize(
    "value", [None, 0, "", "text", [], [1], {}, {"a": {"b": [None]}}, 10**40], ids=repr
)
def test_the_input_of_a_run_is_any_json_value_and_comes_back_exactly(api, value):
    ended = api.run(api.workflow(), value)

    answer = api.ask("GET", f"/executions/{ended['id']}")
    shown = json.loads(answer.data)
    assert shown["input"] == value
    assert shown["steps"][0]["output"] == value


def test_without_input_a_run_gets_an_empty_object(api):
    made = api.workflow()

    ended = api.call("POST", f"/workflows/{made['id']}/run", {"wait": 20})

    assert ended["input"] == {}


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [
        ({"wait": 0}, "/wait"),
        ({"wait": -1}, "/wait"),
        ({"wait": 30.01}, "/wait"),
        ({"wait": "5"}, "/wait"),
        ({"wait": True}, "/wait"),
        ({"inputs": {}}, "/inputs"),
    ],
    ids=str,
)
def test_a_run_that_does_not_fit_starts_nothing(api, asked, pointer):
    made = api.workflow()

    answer = api.ask("POST", f"/workflows/{made['id']}/run", asked)

    assert answer.status_code == 422
    assert [each["pointer"] for each in answer.json["errors"]] == [pointer]
    assert api.call("GET", "/executions")["items"] == []


def test_the_list_has_every_field_and_the_newest_first(api):
    made = api.workflow()
    ran = [api.run(made, n)["id"] for n in range(3)]

    items = api.call("GET", "/executions")["items"]

    assert [each["id"] for each in items] == ran[::-1]
    assert all(set(each) == FIELDS for each in items)


def test_each_filter_shows_what_fits_and_nothing_else(api, client):
    one, two = api.workflow("One"), api.workflow("Two")
    by_hand = api.run(one, {})["id"]
    hooked = client.post(hook_of(two)).json["execution_id"]
    now = times.now()
    later = rfc3339(now + timedelta(hours=1))
    earlier = rfc3339(now - timedelta(hours=1))

    def found(**wanted: str) -> set[str]:
        query = "&".join(f"{name}={value}" for name, value in wanted.items())
        return {each["id"] for each in api.call("GET", f"/executions?{query}")["items"]}

    assert found(workflow_id=one["id"]) == {by_hand}
    assert found(trigger="webhook") == {hooked}
    assert found(trigger="schedule") == set()
    assert by_hand in found(status="success")
    assert found(status="cancelled") == set()
    assert found(since=earlier, until=later) == {by_hand, hooked}
    assert found(since=later) == set()
    assert found(until=earlier) == set()
    assert found(q=hooked) == {hooked}
    assert found(q="Two") == {hooked}


def test_a_foreign_or_impossible_workflow_in_a_filter_gives_an_empty_list(
    api, stranger
):
    made = api.workflow()
    api.run(made, {})

    for each in (made["id"], "wf_00", "%00", "'--"):
        page = stranger.call("GET", f"/executions?workflow_id={each}")
        assert page == {"items": [], "next_cursor": None}


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=201",
        "limit=-1",
        "limit=1e2",
        "limit=%2B5",
        "limit=5&limit=6",
        "limit=\u0663",
        "limit=",
        "limit=99999999999999999999",
        "cursor=",
        "cursor=!",
        "cursor=%00",
        "cursor=d2Zf",
        "cursor=" + "A" * 3000,
        "status=asleep",
        "status=",
        "trigger=pigeon",
        "since=yesterday",
        "since=2026-01-08",
        "since=1767875696",
        "since=2026-13-01T00:00:00Z",
        "since=2026-01-08T12:34:56",
        "since=0001-01-01T00:00:00%2B23:59",
        "until=9999-12-31T23:59:59-23:59",
        "q=",
        "q=a%00b",
        "q=" + "x" * 201,
        "unknown=1",
        "workflow=1",
        "a/b~c=1",
    ],
)
def test_a_query_string_that_does_not_fit_says_where(api, query):
    answer = api.ask("GET", f"/executions?{query}")

    assert answer.status_code == 422
    [fault] = answer.json["errors"]
    name = query.partition("=")[0].replace("~", "~0").replace("/", "~1")
    assert fault["pointer"] == f"/{name}"


def test_a_cursor_of_another_list_is_refused(api):
    for n in range(2):
        api.workflow(f"W{n}")
    cursor = api.call("GET", "/workflows?limit=1")["next_cursor"]

    answer = api.ask("GET", f"/executions?cursor={cursor}")

    assert answer.status_code == 422
    assert answer.json["errors"][0]["pointer"] == "/cursor"


def test_the_exact_bytes_that_came_in_can_be_downloaded(api, client):
    made = api.workflow()
    body = b'{"a" : 1,\n "a": 2}\xff'
    execution_id = client.post(hook_of(made), data=body).json["execution_id"]

    answer = api.ask("GET", f"/executions/{execution_id}/input")

    assert answer.data == body
    assert answer.content_type == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_large_input_and_output_are_left_out_with_links_to_the_whole(api):
    text = "x" * 40_000
    ended = api.run(api.workflow(), text)

    assert ended["input"]["truncated"] is True
    assert ended["input"]["size"] == 40_002
    assert json.loads(api.ask("GET", ended["input"]["url"]).data) == text
    output = ended["steps"][0]["output"]
    assert output["truncated"] is True
    assert api.call("GET", output["url"]) == text


def test_an_execution_of_many_large_steps_still_fits_into_one_answer(api):
    value = {"value": "{{ trigger.body }}"}
    steps = [{"id": f"s{n}", "uses": "set", "with": value} for n in range(20)]
    ended = api.run(api.workflow("Many", *steps), "x" * 30_000)

    answer = api.ask("GET", f"/executions/{ended['id']}")

    assert len(answer.data) < 256 * 1024
    outputs = [each["output"] for each in answer.json["steps"]]
    assert len(outputs) == 20
    assert outputs[0] == "x" * 30_000
    assert api.call("GET", outputs[-1]["url"]) == "x" * 30_000


def test_steps_beyond_one_answer_are_on_further_pages(api):
    steps = [
        {"id": f"{'s' * 50}{n}", "uses": "set", "with": {"value": n}}
        for n in range(900)
    ]
    made = api.workflow("Very many", *steps)
    ended = api.run(made, {})

    answer = api.ask("GET", f"/executions/{ended['id']}")
    assert len(answer.data) < 256 * 1024
    shown, where = answer.json["steps"], answer.json["steps_url"]
    assert 0 < len(shown) < 900
    while where:
        page = api.call("GET", f"{where}&limit=200")
        shown += page["items"]
        cursor = page["next_cursor"]
        path = f"/executions/{ended['id']}/steps"
        where = cursor and f"{path}?cursor={cursor}"

    assert [each["output"] for each in shown] == list(range(900))


def test_a_value_as_deep_as_a_body_may_be_is_shown(api, client):
    made = api.workflow()
    body = b"[" * 100 + b"]" * 100
    execution_id = client.post(hook_of(made), data=body).json["execution_id"]

    answer = api.ask("GET", f"/executions/{execution_id}")

    assert answer.status_code == 200
    assert body in answer.data


def test_secret_headers_are_never_stored_and_others_are_shown(api, client):
    made = api.workflow()
    headers = {
        "Authorization": "Bearer canary-1",
        "Cookie": "session=canary-2",
        "Proxy-Authorization": "Basic canary-3",
        "X-GitHub-Event": "push",
    }
    sent = client.post(f"{hook_of(made)}/a/b?x=1&x=2&y=", headers=headers)

    answer = api.ask("GET", f"/executions/{sent.json['execution_id']}")

    assert "canary" not in answer.text
    request = answer.json["request"]
    assert request["headers"]["x-github-event"] == "push"
    assert (request["method"], request["path"]) == ("POST", "/a/b")
    assert request["query"] == {"x": ["1", "2"], "y": ""}
    where = f"/executions/{sent.json['execution_id']}/request"
    assert api.call("GET", where) == request


def test_what_waits_says_why_and_is_cancelled_at_once(api):
    made = api.workflow("Slow", LONG_WAIT)
    asked = {"wait": 0.05}
    run = api.ask("POST", f"/workflows/{made['id']}/run", asked)
    path = f"/executions/{run.json['execution_id']}"
    waiting = _once(lambda: api.call("GET", path), lambda it: it["status"] == "waiting")
    assert waiting["waiting"]["reason"] == "delay"
    assert waiting["waiting"]["until"] > waiting["created_at"]

    answer = api.ask("POST", f"{path}/cancel")

    assert answer.status_code == 200
    assert answer.json["status"] == "cancelled"
    assert api.ask("POST", f"{path}/cancel").status_code == 409


def test_what_is_over_cannot_be_cancelled(api):
    ended = api.run(api.workflow(), {})

    answer = api.ask("POST", f"/executions/{ended['id']}/cancel")

    assert answer.status_code == 409
    assert answer.json["type"] == "/problems/conflict"


def test_a_step_that_never_was_has_no_output(api):
    ended = api.run(api.workflow(), {})

    for step in ("nobody", "a/b", "%00"):
        path = f"/executions/{ended['id']}/steps/{step}/output"
        assert api.ask("GET", path).status_code == 404


ROUTES = [
    ("GET", ""),
    ("GET", "/input"),
    ("GET", "/request"),
    ("GET", "/steps"),
    ("GET", "/steps/note/output"),
    ("POST", "/cancel"),
]


@pytest.mark.parametrize(("method", "rest"), ROUTES)
def test_another_tenants_execution_does_not_exist(api, stranger, method, rest):
    ended = api.run(api.workflow(), {})

    assert stranger.ask(method, f"/executions/{ended['id']}{rest}").status_code == 404
    assert stranger.call("GET", "/executions")["items"] == []


@pytest.mark.parametrize("bad", ["x", "exec_00", "wf_" + "0" * 32, "%00", "%ff%fe"])
@pytest.mark.parametrize(("method", "rest"), ROUTES)
def test_what_cannot_be_an_id_does_not_exist(api, method, rest, bad):
    assert api.ask(method, f"/executions/{bad}{rest}").status_code == 404


def test_an_id_that_never_was_does_not_exist(api):
    assert api.ask("GET", f"/executions/{ids.new('exec')}").status_code == 404


def _once(read, fits):
    """Read until it fits; the engine's own threads bring that about."""
    deadline = times.now() + timedelta(seconds=10)
    while not fits(found := read()):
        assert times.now() < deadline, found
    return found
