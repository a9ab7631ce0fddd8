import io
import re

import pytest
from gunicorn.http.errors import InvalidChunkSize

from tests.system.waiting import eventually
from tests.web.conftest import definition, hook_of

pytestmark = pytest.mark.usefixtures("way_in")


def test_an_event_is_accepted_with_the_place_to_look(api, client):
    made = api.workflow()

    answer = client.post(hook_of(made), json={"n": 1})

    assert answer.status_code == 202
    assert answer.json["status"] == "queued"
    where = f"/api/v1/executions/{answer.json['execution_id']}"
    assert answer.headers["Location"] == where
    assert api.call("GET", where)["input"] == {"n": 1}


@pytest.mark.parametrize(
    ("kind", "body", "shown"),
    [
        ("application/json", b'{"a":1}', {"a": 1}),
        ("application/vnd.api+json; charset=utf-8", b"[1]", [1]),
        (
            "application/x-www-form-urlencoded",
            b"a=1&a=2&b=",
            {"a": ["1", "2"], "b": ""},
        ),
        ("text/plain", b"hello", "hello"),
        (None, b'{"a":1}', {"a": 1}),
        (None, b"hello", None),
        ("application/json", b"{", None),
        ("application/json", b"[" * 100_000, None),
        ("application/json", b'"\\ud800"', None),
        ("application/json", b"\xef\xbb\xbf{}", None),
        ("image/png", b"\x89PNG", None),
    ],
    ids=lambda each: repr(each)[:30],
)
def test_any_body_is_accepted_and_shown_as_expressions_see_it(
    api, client, kind, body, shown
):
    made = api.workflow()

    answer = client.post(hook_of(made), data=body, content_type=kind)

    assert answer.status_code == 202
    detail = api.call("GET", f"/executions/{answer.json['execution_id']}")
    assert detail["input"] == shown
    assert api.ask("GET", detail["request"]["url"]).data == body


def test_more_path_and_query_become_part_of_the_trigger(api, client):
    step = {
        "id": "note",
        "uses": "set",
        "with": {
            "value": {"path": "{{ trigger.path }}", "query": "{{ trigger.query }}"}
        },
    }
    made = api.workflow("Paths", step, methods=["GET"])
    seen = {}
    for more in ("", "/", "/a", "/a/b//c/", "/%C3%A9%00"):
        sent = client.get(f"{hook_of(made)}{more}?x=1&x=2")
        path = f"/executions/{sent.json['execution_id']}/request"
        request = api.call("GET", path)
        seen[more] = request["path"]
        assert request["query"] == {"x": ["1", "2"]}

    assert seen == {
        "": "",
        "/": "/",
        "/a": "/a",
        "/a/b//c/": "/a/b//c/",
        "/%C3%A9%00": "/é\0",
    }


def test_unknown_deleted_and_inactive_hooks_answer_alike(api, client):
    inactive, deleted = api.workflow("Inactive"), api.workflow("Deleted")
    api.call("PATCH", f"/workflows/{inactive['id']}", {"is_active": False})
    api.call("DELETE", f"/workflows/{deleted['id']}")
    told = set()

    for path in (hook_of(inactive), hook_of(deleted), "/hooks/" + "x" * 32):
        answer = client.post(path, headers={"X-Request-Id": "same"})
        assert answer.status_code == 404
        told.add(answer.data)

    assert len(told) == 1


def test_a_change_of_a_workflow_is_seen_by_its_hook_at_once(api, client):
    made = api.workflow()
    path = f"/workflows/{made['id']}"
    assert client.post(hook_of(made)).status_code == 202

    api.call("PATCH", path, {"is_active": False})
    assert client.post(hook_of(made)).status_code == 404
    api.call("PATCH", path, {"is_active": True})
    assert client.post(hook_of(made)).status_code == 202
    api.call("PUT", path, {"definition": definition(methods=["PUT"])})
    assert client.post(hook_of(made)).status_code == 405
    accepted = client.put(hook_of(made)).json["execution_id"]

    assert api.call("GET", f"/executions/{accepted}")["version"] == 2


def test_only_the_triggers_methods_are_taken_and_the_others_are_named(api, client):
    made = api.workflow("Putting", methods=["PUT", "GET"])

    for method in ("POST", "DELETE", "HEAD", "PATCH"):
        answer = client.open(hook_of(made), method=method)
        assert answer.status_code == 405
        assert set(answer.headers["Allow"].split(", ")) == {"PUT", "GET"}
    assert client.get(hook_of(made)).status_code == 202


def test_what_the_door_turns_away_is_in_the_books(api, app, client):
    made = api.workflow("Strict", accept="json")
    client.post(hook_of(made), data=b"{}")
    client.post(hook_of(made), data=b"no")
    client.get(hook_of(made))
    client.post(hook_of(made), data=b"x" * (1 << 20) + b"x")

    app.extensions["services"].refusals.flush()

    books = api.call("GET", f"/ledger?workflow_id={made['id']}")
    assert (books["received"], books["rejected"]) == (4, 3)
    assert books["balanced"] is True


def chunked(client, path: str, stream):
    """A request as gunicorn hands over a chunked one: no length, but an end."""
    environ = {"wsgi.input": stream, "wsgi.input_terminated": True}
    return client.post(path, environ_overrides=environ)


def test_a_chunked_body_of_exactly_the_limit_is_taken_whole(api, client, settings):
    made = api.workflow()
    body = b"x" * settings.max_body

    answer = chunked(client, hook_of(made), io.BytesIO(body))

    assert answer.status_code == 202
    where = f"/executions/{answer.json['execution_id']}/input"
    assert api.ask("GET", where).data == body


def test_a_chunked_body_over_the_limit_is_refused_and_not_cut_short(
    api, client, settings
):
    made = api.workflow()
    endless = io.BytesIO(b"x" * (settings.max_body * 2))

    answer = chunked(client, hook_of(made), endless)

    assert answer.status_code == 413
    assert endless.tell() == settings.max_body + 1
    assert api.call("GET", "/executions")["items"] == []


class Breaking:
    """A stream that fails as gunicorn's do."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def read(self, _: int = -1) -> bytes:
        raise self.error


@pytest.mark.parametrize(
    "error", [InvalidChunkSize(b"zz"), ConnectionResetError(), TimeoutError()], ids=repr
)
def test_a_body_that_breaks_off_is_400(api, client, error):
    made = api.workflow()

    for path in (hook_of(made), "/hooks/" + "x" * 32):
        answer = chunked(client, path, Breaking(error))
        assert answer.status_code == (400 if path == hook_of(made) else 404)


def test_a_body_shorter_than_its_length_is_400(api, client):
    made = api.workflow()
    environ = {"wsgi.input": io.BytesIO(b"short"), "CONTENT_LENGTH": "10"}

    answer = client.post(hook_of(made), environ_overrides=environ)

    assert answer.status_code == 400
    assert answer.json["type"] == "/problems/malformed-request"


def test_a_full_house_is_503_for_hooks_and_for_people(app, api, client):
    made = api.workflow()
    run = f"/workflows/{made['id']}/run"
    services = app.extensions["services"]
    pool = services.dispatcher._line._house.pool
    free = pool._seats
    eventually(
        lambda: free._value == pool.capacity, within=5, what="all seats are free"
    )
    seats = [pool.reserve() for _ in range(pool.capacity)]

    try:
        refused = [client.post(hook_of(made)), api.ask("POST", run, {})]
    finally:
        for each in seats:
            each.free()
    for answer in refused:
        assert answer.status_code == 503
        assert answer.json["type"] == "/problems/queue-full"
        assert int(answer.headers["Retry-After"]) >= 1
    services.refusals.flush()
    books = api.call("GET", "/ledger")
    assert (books["received"], books["shed"]) == (2, 2)
    assert client.post(hook_of(made)).status_code == 202


def test_head_and_options_run_only_what_names_them(api, client):
    both = api.workflow("Both", methods=["HEAD", "OPTIONS"])
    neither = api.workflow("Neither")

    for method in ("HEAD", "OPTIONS"):
        assert client.open(hook_of(both), method=method).status_code == 202
        assert client.open(hook_of(neither), method=method).status_code == 405
    assert len(api.call("GET", "/executions")["items"]) == 2


def test_a_browsers_preflight_is_no_event(api, client):
    made = api.workflow("Both", methods=["POST", "OPTIONS"])
    headers = {
        "Origin": "http://localhost:5173",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }

    answer = client.options(hook_of(made), headers=headers)

    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == "http://localhost:5173"
    assert api.call("GET", "/ledger")["received"] == 0


def test_webhooks_are_counted_by_what_became_of_them(api, client):
    made = api.workflow()
    before = _counts(client)
    client.post(hook_of(made))
    client.get(hook_of(made))
    client.post("/hooks/" + "x" * 32)

    after = _counts(client)

    for outcome in ("accepted", "rejected", "unknown"):
        assert after[outcome] - before.get(outcome, 0) == 1


def _counts(client) -> dict[str, float]:
    lines = client.get("/metrics").text.splitlines()
    found = (re.match(r'sluice_webhooks_total{outcome="(\w+)"} (.+)', x) for x in lines)
    return {each[1]: float(each[2]) for each in found if each}
