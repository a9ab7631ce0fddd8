import json
import re

import pytest

from tests.web.conftest import definition, hook_of


def test_a_workflow_is_made_active_with_an_absolute_webhook_url(api):
    answer = api.ask("POST", "/workflows", {"name": "A", "definition": definition()})

    assert answer.status_code == 201
    made = answer.json
    assert made["version"] == 1
    assert made["is_active"] is True
    assert made["definition"] == definition()
    assert re.fullmatch(
        r"http://localhost:8000/hooks/[A-Za-z0-9_-]{32}", made["webhook_url"]
    )
    assert answer.headers["Location"] == f"/api/v1/workflows/{made['id']}"
    assert api.call("GET", f"/workflows/{made['id']}") == made


def test_the_list_shows_the_newest_first_and_no_definitions(api):
    made = [api.workflow(f"W{n}") for n in range(3)]

    items = api.call("GET", "/workflows")["items"]

    assert [each["id"] for each in items] == [each["id"] for each in reversed(made)]
    assert all("definition" not in each for each in items)
    assert items[0]["webhook_url"] == made[2]["webhook_url"]


def test_pages_follow_each_other_without_gap_or_repetition(api):
    made = [api.workflow(f"W{n}")["id"] for n in range(7)]

    page = api.call("GET", "/workflows?limit=3")
    seen = [each["id"] for each in page["items"]]
    while page["next_cursor"]:
        page = api.call("GET", f"/workflows?limit=3&cursor={page['next_cursor']}")
        seen += [each["id"] for each in page["items"]]

    assert seen == made[::-1]


def test_a_name_is_taken_once_and_free_again_after_the_delete(api):
    made = api.workflow("A")
    again = {"name": "A", "definition": definition()}

    assert api.ask("POST", "/workflows", again).status_code == 409
    assert api.ask("DELETE", f"/workflows/{made['id']}").status_code == 204
    assert api.ask("POST", "/workflows", again).status_code == 201


def test_the_requests_name_wins_over_the_definitions_own(api):
    named = {"name": "Inner", **definition()}

    outer = api.call("POST", "/workflows", {"name": "Outer", "definition": named})
    inner = api.call("POST", "/workflows", {"definition": named})

    assert (outer["name"], outer["definition"]["name"]) == ("Outer", "Outer")
    assert (inner["name"], inner["definition"]["name"]) == ("Inner", "Inner")


def test_a_workflow_without_any_name_is_refused(api):
    answer = api.ask("POST", "/workflows", {"definition": definition()})

    assert answer.status_code == 422
    assert answer.json["errors"] == [{"pointer": "/name", "message": "is required"}]


def test_a_name_is_trimmed(api):
    assert api.workflow("  Orders\t")["name"] == "Orders"


@pytest.mark.parametrize(
    "name",
    ["", " ", "x" * 201, "a\0b", "a\nb", "a\u2028b", "\x7f", 7, [], True],
    ids=ascii,
)
def test_what_is_no_name_is_refused(api, name):
    answer = api.ask("POST", "/workflows", {"name": name, "definition": definition()})

    assert answer.status_code == 422
    assert [each["pointer"] for each in answer.json["errors"]] == ["/name"]


def test_faults_of_a_definition_point_into_the_body(api):
    wrong = {"trigger": {"type": "pigeon"}, "steps": []}
    answer = api.ask("POST", "/workflows", {"name": "A", "definition": wrong})

    assert answer.status_code == 422
    pointers = [each["pointer"] for each in answer.json["errors"]]
    assert "/definition/trigger/type" in pointers


def test_put_makes_a_new_version_and_keeps_the_token(api):
    made = api.workflow("A")
    other = definition({"id": "other", "uses": "set", "with": {"value": 2}})

    changed = api.call("PUT", f"/workflows/{made['id']}", {"definition": other})

    assert (changed["version"], changed["name"]) == (2, "A")
    assert changed["definition"] == other
    assert changed["webhook_url"] == made["webhook_url"]
    renamed = {"name": "B", "definition": other}
    assert api.call("PUT", f"/workflows/{made['id']}", renamed)["name"] == "B"


def test_patch_renames_and_switches_without_a_new_version(api):
    path = f"/workflows/{api.workflow('A')['id']}"

    changed = api.call("PATCH", path, {"name": "B", "is_active": False})

    assert (changed["name"], changed["is_active"], changed["version"]) == (
        "B",
        False,
        1,
    )
    assert api.call("PATCH", path, {})["version"] == 1


def test_renaming_to_a_taken_name_is_a_conflict(api):
    api.workflow("A")
    other = api.workflow("B")

    assert (
        api.ask("PATCH", f"/workflows/{other['id']}", {"name": "A"}).status_code == 409
    )


def test_pausing_is_not_supported_yet_and_says_so(api):
    made = api.workflow()

    answer = api.ask("PATCH", f"/workflows/{made['id']}", {"paused": True})

    assert answer.status_code == 422
    [fault] = answer.json["errors"]
    assert fault["pointer"] == "/paused"
    assert "not supported yet" in fault["message"]


def test_versions_are_listed_and_each_can_be_read(api):
    first = api.workflow()
    path = f"/workflows/{first['id']}"
    for n in range(2, 5):
        step = {"id": "note", "uses": "set", "with": {"value": n}}
        api.call("PUT", path, {"definition": definition(step)})

    one = api.call("GET", f"{path}/versions?limit=3")
    two = api.call("GET", f"{path}/versions?cursor={one['next_cursor']}")

    assert [each["version"] for each in one["items"] + two["items"]] == [4, 3, 2, 1]
    assert two["next_cursor"] is None
    assert api.call("GET", two["items"][0]["definition_url"]) == first["definition"]


def test_a_rollback_is_a_new_version_equal_to_the_old_one(api):
    made = api.workflow("A")
    path = f"/workflows/{made['id']}"
    step = {"id": "other", "uses": "set", "with": {"value": 2}}
    api.call("PUT", path, {"definition": definition(step), "name": "B"})

    back = api.call("POST", f"{path}/rollback", {"version": 1})

    assert (back["version"], back["name"]) == (3, "B")
    assert back["definition"] == made["definition"]


@pytest.mark.parametrize(
    ("version", "status"),
    [(0, 422), (-1, 422), ("1", 422), (1.5, 422), (2**70, 422), (9, 404), (None, 422)],
)
def test_a_rollback_to_what_is_no_version_is_refused(api, version, status):
    path = f"/workflows/{api.workflow()['id']}/rollback"

    assert api.ask("POST", path, {"version": version}).status_code == status


@pytest.mark.parametrize("number", ["0", "9", "-1", "x", "1.5", "9" * 10, "9" * 400])
def test_a_version_that_never_was_does_not_exist(api, number):
    path = f"/workflows/{api.workflow()['id']}/versions/{number}/definition"

    assert api.ask("GET", path).status_code == 404


def test_a_large_definition_is_left_out_with_a_link_to_the_whole(api):
    step = {"id": "note", "uses": "set", "with": {"value": "x" * 40_000}}

    made = api.workflow("Large", step)

    assert made["definition"]["truncated"] is True
    assert made["definition"]["size"] > 40_000
    assert api.call("GET", made["definition"]["url"]) == definition(step)


def test_a_deleted_workflow_is_gone_but_its_hook_tells_nobody(api, client):
    made = api.workflow()
    path = f"/workflows/{made['id']}"
    assert client.post(hook_of(made)).status_code == 202

    assert api.ask("DELETE", path).status_code == 204

    assert api.ask("GET", path).status_code == 404
    assert api.ask("DELETE", path).status_code == 404
    assert api.ask("PUT", path, {"definition": definition()}).status_code == 404
    assert api.ask("POST", f"{path}/rollback", {"version": 1}).status_code == 404
    assert client.post(hook_of(made)).status_code == 404


def test_integers_of_any_size_survive_in_a_definition(api):
    step = {"id": "note", "uses": "set", "with": {"value": 10**40}}

    made = api.workflow("Large number", step)

    answer = api.ask("GET", f"/workflows/{made['id']}")
    assert json.loads(answer.data)["definition"]["steps"][0]["with"]["value"] == 10**40


ROUTES = [
    ("GET", "", None),
    ("PUT", "", {"definition": definition()}),
    ("PATCH", "", {"is_active": False}),
    ("DELETE", "", None),
    ("GET", "/versions", None),
    ("GET", "/versions/1/definition", None),
    ("POST", "/rollback", {"version": 1}),
    ("POST", "/run", {}),
]


@pytest.mark.parametrize(("method", "rest", "value"), ROUTES, ids=str)
def test_another_tenants_workflow_does_not_exist(api, stranger, method, rest, value):
    made = api.workflow()

    answer = stranger.ask(method, f"/workflows/{made['id']}{rest}", value)

    assert answer.status_code == 404
    assert api.call("GET", f"/workflows/{made['id']}") == made


@pytest.mark.parametrize(
    "bad", ["x", "wf_", "wf_00", "exec_" + "0" * 32, "%00", "%ff", "..", "'"]
)
@pytest.mark.parametrize(("method", "rest", "value"), ROUTES, ids=str)
def test_what_cannot_be_an_id_does_not_exist(api, method, rest, value, bad):
    assert api.ask(method, f"/workflows/{bad}{rest}", value).status_code in (404, 405)
