"""Whatever changes something is in the audit log, or says why not."""

import json

import pytest

from app.domain.audit import Action
from tests.web import routes
from tests.web.conftest import definition, hook_of, newcomer
from tests.web.routes import Scene


@pytest.fixture(scope="module")
def every(app):
    return [each for each in routes.every(app) if each.is_unsafe]


@pytest.fixture(scope="module")
def told(every):
    """Routes that a key calls and that write in the log.

    What persons do is in `test_sessions` and `test_passwords`, and what a guest does in
    `test_invitations`.
    """
    promises = ((each, each.operation) for each in every)
    return [
        each
        for each, promise in promises
        if promise.audits and promise.scope is not None and not promise.person
    ]


@pytest.fixture
def scene(api, store) -> Scene:
    return Scene(api, store)


def log(api, **wanted):
    query = "&".join(f"{name}={value}" for name, value in wanted.items())
    return api.call("GET", f"/audit?limit=200&{query}")["items"]


def actions(entries):
    return [each["action"] for each in entries]


def test_every_unsafe_route_is_audited_or_says_why_not(every):
    for route in every:
        promise = route.operation
        assert bool(promise.audits) != bool(promise.unaudited), (
            f"{route.name} needs `audits` or a reason as `unaudited`"
        )


def test_every_audited_route_writes_who_did_what_from_where_and_with_which_key(
    told, scene
):
    me = scene.api.call("GET", "/me")
    mine = scene.api.call("GET", "/api-keys")["items"][0]["id"]
    for route in told:
        path, value = scene.path(route, fresh=True), scene.body(route)
        before = {each["id"] for each in log(scene.api)}

        answer = scene.api.ask(route.method, path, value)

        assert answer.status_code < 300, f"{route.name}: {answer.text}"
        new = [each for each in log(scene.api) if each["id"] not in before]
        assert new, route.name
        assert set(actions(new)) <= {each.value for each in route.operation.audits}
        for entry in new:
            assert entry["user_id"] == me["user"]["id"]
            assert entry["via"] == mine
            assert entry["address"] == "127.0.0.1"
            assert entry["request_id"] == answer.headers["X-Request-Id"]


def test_what_is_refused_is_not_in_the_log(told, scene, client, store):
    reader = scene.api.another_key("read")
    foreign = Scene(newcomer(client, store), store)
    for route in told:
        path, value = scene.path(route, fresh=False), scene.body(route)
        before = log(scene.api)

        assert reader.ask(route.method, path, value).status_code == 403
        if route.arguments:
            answer = foreign.ask(route, scene, fresh=False)
            assert answer.status_code == 404, route.name
        if value is not None:
            answer = scene.api.ask(route.method, path, {"surprise": 1})
            assert answer.status_code == 422, route.name

        assert log(scene.api) == before


def test_a_registration_begins_the_log(client):
    asked = {
        "email": "first@example.com",
        "password": "correct horse battery staple",
        "tenant": "First",
    }
    made = client.post("/api/v1/auth/register", json=asked)

    key = {"Authorization": f"Bearer {made.json['api_key']}"}
    entries = client.get("/api/v1/audit", headers=key).json["items"]
    assert sorted(actions(entries)) == ["key.create", "tenant.create"]
    assert {each["user_id"] for each in entries} == {made.json["user"]["id"]}
    assert {each["request_id"] for each in entries} == {made.headers["X-Request-Id"]}
    assert {each["via"] for each in entries} == {None}


def test_a_workflows_story_is_told_with_old_and_new(api):
    workflow = api.workflow("Orders")
    path = f"/workflows/{workflow['id']}"
    again = {"definition": definition()}
    api.call("PUT", path, again)
    api.call("POST", f"{path}/rollback", {"version": 1})
    api.call("PATCH", path, {"name": "Orders", "is_active": True})  # as it was
    api.call("PATCH", path, {"name": "Sales", "is_active": False})
    api.call("PATCH", path, {"is_active": True})
    api.call("POST", f"{path}/rotate-token")
    api.call("DELETE", path)

    told = [
        (each["action"], {k: (v["old"], v["new"]) for k, v in each["changes"].items()})
        for each in reversed(log(api, target=workflow["id"]))
    ]
    assert told == [
        (
            "workflow.create",
            {"name": (None, "Orders"), "version": (None, 1), "is_active": (None, True)},
        ),
        ("workflow.publish", {"version": (1, 2)}),
        ("workflow.rollback", {"version": (2, 3), "same_as": (None, 1)}),
        ("workflow.rename", {"name": ("Orders", "Sales")}),
        ("workflow.deactivate", {}),
        ("workflow.activate", {}),
        ("workflow.rotate-token", {}),
        ("workflow.delete", {"name": ("Sales", None), "version": (3, None)}),
    ]


def test_a_secret_written_into_a_definition_is_told_as_a_credential(api):
    verify = {"scheme": "github", "secret": "a-secret-that-nobody-may-read"}
    workflow = api.workflow("Signed", verify=verify)

    entries = log(api)

    assert set(actions(entries[:2])) == {"workflow.create", "credential.create"}
    assert "nobody-may-read" not in json.dumps(entries)
    name = workflow["definition"]["trigger"]["verify"]["secret"]["credential"]
    [made] = log(api, action="credential.create")
    assert made["changes"]["name"] == {"old": None, "new": name}


def test_a_second_revocation_changes_nothing_and_is_not_told(api, scene):
    key = scene.key()
    for _ in range(2):
        api.call("DELETE", f"/api-keys/{key}")

    assert actions(log(api, target=key)) == ["key.revoke", "key.create"]


def test_no_secret_is_in_the_log(api, scene):
    made = api.call("POST", "/api-keys", {"name": "Spare", "scopes": ["read"]})
    secret = scene.secret()
    kept = api.call("POST", "/credentials", secret)
    api.call("PUT", f"/credentials/{kept['id']}", {"data": {"value": "another-one"}})
    workflow = api.workflow()

    text = json.dumps(log(api))

    assert made["key"] not in text
    assert made["key"].rpartition("_")[2] not in text
    assert secret["data"]["value"] not in text
    assert "another-one" not in text
    assert hook_of(workflow).rpartition("/")[2] not in text


def test_the_log_can_be_searched(api, scene):
    key = scene.key()
    workflow = scene.workflow()
    me = api.call("GET", "/me")["user"]["id"]
    [latest] = log(api, target=workflow)

    assert actions(log(api, action="key.create", target=key)) == ["key.create"]
    assert log(api, actor=latest["via"])[0] == latest
    assert log(api, actor=me)[0] == latest
    assert log(api, since=latest["at"])[0] == latest
    assert latest not in log(api, until=latest["at"])
    assert log(api, actor="somebody else") == []
    assert api.ask("GET", "/audit?action=made-up").status_code == 422


def test_the_log_comes_in_pages_and_another_tenants_cursor_opens_nothing(
    api, stranger, scene
):
    for _ in range(3):
        scene.key()
    first = api.call("GET", "/audit?limit=2")
    rest = api.call("GET", f"/audit?limit=9&cursor={first['next_cursor']}")
    theirs = stranger.call("GET", f"/audit?cursor={first['next_cursor']}")

    assert [*first["items"], *rest["items"]] == log(api)
    mine = {each["id"] for each in log(api)}
    assert not mine & {each["id"] for each in theirs["items"]}


@pytest.mark.parametrize("scope", ["read", "run", "write"])
def test_only_owners_read_the_log(api, scope):
    assert api.another_key(scope).ask("GET", "/audit").status_code == 403


def test_nothing_of_the_api_changes_the_log(app):
    of_it = [each.name for each in routes.every(app) if "audit" in each.rule]

    assert of_it == ["GET /api/v1/audit"]


def test_an_address_that_a_proxy_made_up_is_not_repeated(api):
    odd = {"REMOTE_ADDR": "<script>"}
    made = api.ask(
        "POST",
        "/api-keys",
        {"name": "Odd", "scopes": ["read"]},
        environ_overrides=odd,
    )

    [entry] = log(api, target=made.json["id"])
    assert entry["address"] is None


def test_every_action_is_one_that_some_route_may_write(app):
    written = {each for route in routes.every(app) for each in route.operation.audits}

    assert written == set(Action)
