"""Secrets that are written into definitions leave them when they are saved."""

import hashlib
import hmac
import json

import pytest

from tests.web.conftest import definition, hook_of

URL = "https://hooks.slack.example/services/T0/B0/canary-8f2c"
CANARY = "canary-8f2c"


def tell(step_id="tell", uses="slack.message", **settings):
    return {"id": step_id, "uses": uses, "with": {"text": "hi", **settings}}


def verify(secret, scheme="github"):
    return {"verify": {"scheme": scheme, "secret": secret}}


def names(api):
    return {each["name"]: each for each in api.call("GET", "/credentials")["items"]}


def save(api, workflow, value):
    path = f"/workflows/{workflow['id']}"
    return api.call("PUT", path, {"definition": value})


def secret_of(workflow):
    return workflow["definition"]["trigger"]["verify"]["secret"]


def send(api, workflow, secret, body=b"{}"):
    mark = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    headers = {"X-Hub-Signature-256": f"sha256={mark}"}
    answer = api.client.post(hook_of(workflow), data=body, headers=headers)
    return answer.status_code


def test_a_secret_becomes_a_credential_of_the_workflow(api):
    made = api.workflow("Orders", **verify(CANARY))

    assert secret_of(made) == {"credential": "Orders verify 1"}
    assert names(api)["Orders verify 1"]["workflow_id"] == made["id"]
    assert names(api)["Orders verify 1"]["type"] == "secret"
    assert api.call("GET", f"/workflows/{made['id']}") == made
    assert send(api, made, CANARY) == 202
    assert send(api, made, "another") == 401


def test_of_several_secrets_each_becomes_one_and_references_stay(api):
    asked = {"name": "mine", "type": "secret", "data": {"value": "m"}}
    api.call("POST", "/credentials", asked)

    made = api.workflow("Orders", **verify(["one", {"credential": "mine"}, "two"]))

    assert secret_of(made) == [
        {"credential": "Orders verify 1"},
        {"credential": "mine"},
        {"credential": "Orders verify 2"},
    ]
    assert [send(api, made, each) for each in ("one", "m", "two")] == [202] * 3


@pytest.mark.parametrize("section", ["steps", "on_failure"])
@pytest.mark.parametrize("kind", ["slack", "discord"])
def test_the_address_of_a_channel_becomes_a_credential(api, kind, section):
    wanted = definition()
    wanted[section] = [tell(uses=f"{kind}.message", url=URL)]

    made = api.call("POST", "/workflows", {"name": "Orders", "definition": wanted})

    with_ = made["definition"][section][0]["with"]
    assert with_ == {"text": "hi", "credential": "Orders tell 1"}
    assert names(api)["Orders tell 1"]["type"] == kind


def test_a_template_stays_a_template(api):
    made = api.workflow("Orders", tell(url="{{ trigger.body.url }}"))

    assert made["definition"]["steps"][0]["with"]["url"] == "{{ trigger.body.url }}"
    assert names(api) == {}


def test_saving_the_same_secret_again_makes_no_other_credential(api):
    wanted = definition(tell(url=URL), **verify(CANARY))
    made = api.call("POST", "/workflows", {"name": "Orders", "definition": wanted})

    again = save(api, made, wanted)
    as_shown = save(api, made, made["definition"])

    assert again["definition"] == as_shown["definition"] == made["definition"]
    assert sorted(names(api)) == ["Orders tell 1", "Orders verify 1"]


def test_the_same_secret_twice_in_a_definition_is_one_credential(api):
    made = api.workflow("Orders", tell("one", url=URL), tell("two", url=URL))

    used = [each["with"]["credential"] for each in made["definition"]["steps"]]
    assert used == ["Orders one 1"] * 2


def test_another_secret_becomes_another_credential_and_rollback_finds_the_old(api):
    made = api.workflow("Orders", **verify("old"))
    changed = save(api, made, definition(**verify("new")))
    assert secret_of(changed) == {"credential": "Orders verify 2"}
    assert (send(api, made, "old"), send(api, made, "new")) == (401, 202)

    back = api.call("POST", f"/workflows/{made['id']}/rollback", {"version": 1})

    assert back["definition"] == made["definition"]
    assert (send(api, made, "old"), send(api, made, "new")) == (202, 401)


def test_versions_hold_only_names(api):
    made = api.workflow("Orders", tell(url=URL), **verify(CANARY))

    shown = api.ask("GET", f"/workflows/{made['id']}/versions/1/definition")

    assert shown.status_code == 200
    assert CANARY not in shown.text


def test_a_changed_credential_counts_at_once(api):
    made = api.workflow("Orders", **verify("old"))
    assert send(api, made, "old") == 202
    path = f"/credentials/{names(api)['Orders verify 1']['id']}"

    api.call("PUT", path, {"data": {"value": "new"}})

    assert (send(api, made, "old"), send(api, made, "new")) == (401, 202)


def test_names_that_are_taken_are_counted_on(api):
    asked = {"name": "Orders verify 1", "type": "secret", "data": {"value": "x"}}
    api.call("POST", "/credentials", asked)

    made = api.workflow("Orders", **verify(CANARY))

    assert secret_of(made) == {"credential": "Orders verify 2"}


def test_a_long_name_of_a_workflow_leaves_room_for_that_of_the_credential(api):
    made = api.workflow("ü" * 200, tell("s" * 63, url=URL), **verify(CANARY))

    for name in names(api):
        assert len(name) <= 200
    assert made["name"] == "ü" * 200


def test_a_name_with_braces_is_no_template(api):
    made = api.workflow("Orders {{ 7", tell(url=URL))

    assert names(api).keys() == {"Orders { { 7 tell 1"}
    assert save(api, made, made["definition"])["version"] == 2


def test_names_of_nothing_are_pointed_at_all_at_once(api):
    made = api.workflow("Orders")
    wanted = definition(
        tell("a", credential="none"),
        tell("b", credential="{{ vars.x }}"),
        {"id": "c", "uses": "sett"},
        **verify([{"credential": "gone"}]),
    )
    wanted["vars"] = {"x": "none"}

    answer = api.ask("PUT", f"/workflows/{made['id']}", {"definition": wanted})

    assert answer.status_code == 422
    found = {each["pointer"]: each["message"] for each in answer.json["errors"]}
    assert found.keys() == {
        "/definition/trigger/verify/secret/0/credential",
        "/definition/steps/0/with/credential",
        "/definition/steps/1/with/credential",
        "/definition/steps/2/uses",
    }
    assert found["/definition/steps/0/with/credential"] == (
        "names no credential; make it at /api/v1/credentials first, `none` of type"
        " slack"
    )


def test_a_credential_of_the_wrong_type_does_not_fit(api):
    asked = {"name": "hook", "type": "secret", "data": {"value": "x"}}
    api.call("POST", "/credentials", asked)
    wanted = definition(tell(credential="hook"))

    answer = api.ask("POST", "/workflows", {"name": "Orders", "definition": wanted})

    assert answer.json["errors"] == [
        {
            "pointer": "/definition/steps/0/with/credential",
            "message": "names a credential of type secret; type slack is needed here",
        }
    ]


def test_another_tenants_credential_does_not_exist_here(api, stranger):
    asked = {"name": "hook", "type": "secret", "data": {"value": "x"}}
    stranger.call("POST", "/credentials", asked)
    wanted = definition(**verify({"credential": "hook"}))

    made = api.call("POST", "/workflows", {"name": "Orders", "definition": wanted})

    assert not made["is_active"]
    assert [each["name"] for each in made["missing_credentials"]] == ["hook"]


@pytest.mark.parametrize("given", [{}, {"url": URL, "credential": "x"}])
def test_a_message_goes_one_way(api, given):
    wanted = definition(tell(**given))

    answer = api.ask("POST", "/workflows", {"name": "Orders", "definition": wanted})

    assert answer.json["errors"][0] == {
        "pointer": "/definition/steps/0/with",
        "message": "must have one of credential and url",
    }


def test_a_rollback_to_a_credential_that_is_gone_is_refused(api):
    made = api.workflow("Orders", **verify(CANARY))
    save(api, made, definition())
    [credential] = names(api).values()
    api.call("DELETE", f"/credentials/{credential['id']}")

    path = f"/workflows/{made['id']}/rollback"
    answer = api.ask("POST", path, {"version": 1})

    assert answer.status_code == 422
    pointer = "/definition/trigger/verify/secret/credential"
    assert answer.json["errors"][0]["pointer"] == pointer


def test_a_deleted_workflow_leaves_its_credentials_to_whoever_wants_them_gone(api):
    made = api.workflow("Orders", **verify(CANARY))
    api.call("DELETE", f"/workflows/{made['id']}")

    [credential] = names(api).values()
    assert credential["workflow_id"] == made["id"]
    assert api.ask("DELETE", f"/credentials/{credential['id']}").status_code == 204


def test_a_refused_definition_leaves_no_credential(api):
    wanted = definition({"id": "a", "uses": "sett"}, **verify(CANARY))

    answer = api.ask("POST", "/workflows", {"name": "Orders", "definition": wanted})

    assert answer.status_code == 422
    assert CANARY not in answer.text
    assert names(api) == {}


def test_a_secret_header_becomes_a_credential_and_is_sent_as_it_was(api):
    settings = {
        "url": "http://127.0.0.1:9/",
        "headers": {"Authorization": "Bearer canary-8f2c", "Accept": "text/csv"},
    }
    call = {"id": "call", "uses": "http.request", "with": settings}
    wanted = {"definition": definition(call), "name": "Orders"}

    made = api.call("POST", "/workflows", wanted)
    again = api.call("PUT", f"/workflows/{made['id']}", wanted)

    for saved in (made, again):
        assert saved["definition"]["steps"][0]["with"] == {
            "url": "http://127.0.0.1:9/",
            "headers": {
                "Accept": "text/csv",
                "Authorization": {"credential": "Orders call 1"},
            },
        }
    assert [each["type"] for each in names(api).values()] == ["secret"]
    assert "canary" not in json.dumps([made, again])
    other = {**settings, "headers": {"X-Token": "canary-91ab"}}
    wanted["definition"] = definition({**call, "with": other})
    third = api.call("PUT", f"/workflows/{made['id']}", wanted)
    headers = third["definition"]["steps"][0]["with"]["headers"]
    assert headers == {"X-Token": {"credential": "Orders call 2"}}
