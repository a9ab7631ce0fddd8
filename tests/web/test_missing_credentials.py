"""A workflow whose credentials are missing is kept, closed, until they are made."""

import pytest

from tests.web.conftest import definition, hook_of

VERIFY = {"scheme": "github", "secret": {"credential": "hook"}}
TELL = {
    "id": "tell",
    "uses": "slack.message",
    "with": {"text": "hi", "credential": "team"},
}
CALL = {
    "id": "call",
    "uses": "http.request",
    "with": {"url": "http://127.0.0.1:9/", "credential": "desk"},
}
WANTED = definition(TELL, CALL, {**TELL, "id": "again"}, verify=VERIFY)
URL = "https://hooks.slack.example/services/T0/B0/canary-8f2c"
MADE = {
    "hook": ("secret", {"value": "canary-8f2c"}),
    "team": ("slack", {"url": URL}),
    "desk": ("bearer", {"token": "canary-8f2c"}),
}


def make(api, name, kind=None):
    fits, data = MADE[name]
    asked = {"name": name, "type": kind or fits, "data": data}
    return api.call("POST", "/credentials", asked)


def keep(api, wanted=WANTED, **more):
    asked = {"name": "Orders", "definition": wanted, **more}
    return api.call("POST", "/workflows", asked)


def activate(api, made):
    return api.ask("PATCH", f"/workflows/{made['id']}", {"is_active": True})


def lacks(shown):
    return [each["name"] for each in shown["missing_credentials"]]


@pytest.fixture
def kept(api):
    return keep(api)


def test_it_is_saved_inactive_and_says_what_to_make_and_where_it_is_used(api, kept):
    assert not kept["is_active"]
    assert kept["definition"] == WANTED
    assert kept["missing_credentials"] == [
        {
            "name": "hook",
            "types": ["secret"],
            "used_at": ["/trigger/verify/secret/credential"],
        },
        {
            "name": "team",
            "types": ["slack"],
            "used_at": ["/steps/0/with/credential", "/steps/2/with/credential"],
        },
        {
            "name": "desk",
            "types": ["bearer", "basic", "header", "query", "oauth2"],
            "used_at": ["/steps/1/with/credential"],
        },
    ]
    assert api.call("GET", f"/workflows/{kept['id']}") == kept


def test_who_asks_for_an_active_one_is_told_the_same(api):
    assert not keep(api, is_active=True)["is_active"]


def test_what_lacks_nothing_is_active_and_says_so(api):
    made = api.workflow("Orders")

    assert (made["is_active"], made["missing_credentials"]) == (True, [])


def test_its_webhook_answers_as_that_of_an_inactive_workflow(api, client, kept):
    closed = api.call(
        "POST",
        "/workflows",
        {"name": "Closed", "definition": definition(), "is_active": False},
    )

    answers = [client.post(hook_of(each), json={}) for each in (kept, closed)]

    assert [each.status_code for each in answers] == [404, 404]
    shown = [{**each.json, "request_id": ""} for each in answers]
    assert shown[0] == shown[1]


def test_it_is_activated_once_all_is_there_without_being_saved_again(api, kept):
    for name in ("team", "desk"):
        make(api, name)
    refused = activate(api, kept)
    assert (refused.status_code, refused.json["type"]) == (
        409,
        "/problems/credential-missing",
    )
    assert "need not be saved again" in refused.json["detail"]
    assert refused.json["errors"] == [
        {
            "pointer": "/definition/trigger/verify/secret/credential",
            "message": (
                "names no credential; make it at /api/v1/credentials first,"
                " `hook` of type secret"
            ),
        }
    ]
    assert lacks(api.call("GET", f"/workflows/{kept['id']}")) == ["hook"]

    make(api, "hook")

    opened = activate(api, kept)
    assert opened.status_code == 200
    assert (opened.json["is_active"], opened.json["version"]) == (True, 1)
    assert lacks(opened.json) == []


def test_what_it_waits_for_can_also_be_an_old_one_renamed(api):
    kept = keep(api, definition(TELL))
    other = api.call(
        "POST",
        "/credentials",
        {"name": "chat", "type": "slack", "data": {"url": URL}},
    )

    path = f"/credentials/{other['id']}"
    api.call("PUT", path, {"name": "team", "data": {"url": URL}})

    assert activate(api, kept).status_code == 200


def test_one_of_another_type_does_not_open_it(api):
    kept = keep(api, definition(TELL))
    asked = {"name": "team", "type": "bearer", "data": {"token": "canary-8f2c"}}
    api.call("POST", "/credentials", asked)

    answer = activate(api, kept)

    assert (answer.status_code, answer.json["type"]) == (
        409,
        "/problems/credential-unusable",
    )
    assert answer.json["errors"][0]["message"] == (
        "names a credential of type bearer; type slack is needed here"
    )


def test_no_one_credential_can_be_of_two_types(api):
    verify = {"scheme": "github", "secret": {"credential": "team"}}
    wanted = {"name": "Orders", "definition": definition(TELL, verify=verify)}

    answer = api.ask("POST", "/workflows", wanted)

    assert answer.status_code == 422
    assert answer.json["errors"] == [
        {
            "pointer": "/definition/steps/0/with/credential",
            "message": "names a credential of type secret; type slack is needed here",
        }
    ]


def test_an_open_door_is_not_closed_by_a_name_that_is_wrong(api, client):
    made = api.workflow("Orders")
    path = f"/workflows/{made['id']}"

    answer = api.ask("PUT", path, {"definition": WANTED})

    assert answer.status_code == 422
    assert api.call("GET", path) == made
    assert client.post(hook_of(made), json={}).status_code == 202

    api.call("PATCH", path, {"is_active": False})
    saved = api.call("PUT", path, {"definition": WANTED})
    assert (saved["version"], lacks(saved)) == (2, ["hook", "team", "desk"])


def test_a_run_by_hand_fails_with_what_is_missing(api):
    kept = keep(api, definition(CALL))

    done = api.run(kept, {})

    assert (done["status"], done["error"]["code"]) == ("failed", "credential-missing")


def test_the_log_tells_the_names_and_that_it_is_inactive(api, kept):
    path = f"/audit?target={kept['id']}"

    [entry] = api.call("GET", path)["items"]

    assert entry["changes"]["is_active"] == {"old": None, "new": False}
    assert entry["changes"]["missing_credentials"] == {
        "old": None,
        "new": ["hook", "team", "desk"],
    }


def test_a_secret_that_is_written_in_takes_no_name_that_is_waited_for(api):
    verify = {
        "scheme": "github",
        "secret": [{"credential": "Orders verify 1"}, "canary-8f2c"],
    }

    kept = keep(api, definition(verify=verify))

    assert lacks(kept) == ["Orders verify 1"]
    secrets = kept["definition"]["trigger"]["verify"]["secret"]
    assert secrets[1] == {"credential": "Orders verify 2"}


def test_what_one_tenant_exports_another_imports_but_for_the_secrets(api, stranger):
    wanted = definition(
        {**TELL, "with": {"text": "hi", "url": URL}},
        CALL,
        verify={"scheme": "github", "secret": "canary-8f2c"},
    )
    make(api, "desk")
    made = keep(api, wanted)
    path = f"/workflows/{made['id']}/versions/1/definition"

    exported = api.ask("GET", path)
    imported = keep(stranger, exported.json)

    assert "canary" not in exported.text
    assert imported["definition"] == exported.json
    assert not imported["is_active"]
    named = {"Orders verify 1": "hook", "Orders tell 1": "team", "desk": "desk"}
    assert set(lacks(imported)) == named.keys()
    for each in imported["missing_credentials"]:
        kind, data = MADE[named[each["name"]]]
        assert kind in each["types"]
        asked = {"name": each["name"], "type": kind, "data": data}
        stranger.call("POST", "/credentials", asked)
    assert activate(stranger, imported).json["is_active"]
    again = stranger.ask("GET", f"/workflows/{imported['id']}/versions/1/definition")
    assert again.json == exported.json
