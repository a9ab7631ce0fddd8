"""Members and their roles, with the keys they have."""

from functools import partial

import pytest

from app.domain.account import Role, Scope
from tests.web import joining
from tests.web.conftest import Api


@pytest.fixture
def joined(store, client):
    """Lets a new user into a tenant and gives it a key."""

    return partial(joining.join, client, store)


def test_members_are_listed_for_everybody_inside(api, joined):
    member_id, viewer = joined(api, Role.VIEWER)

    listed = viewer.call("GET", "/members")["items"]

    assert [each["id"] for each in listed] == [
        member_id,
        api.call("GET", "/me")["user"]["id"],
    ]
    assert [each["role"] for each in listed] == ["viewer", "owner"]
    assert set(listed[0]) == {"id", "email", "role", "joined_at"}


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        ("owner", ["GET /api-keys", "POST /workflows", "POST run", "GET /workflows"]),
        ("editor", ["POST /workflows", "POST run", "GET /workflows"]),
        ("operator", ["POST run", "GET /workflows"]),
        ("viewer", ["GET /workflows"]),
    ],
)
def test_a_key_may_do_no_more_than_its_users_role(api, joined, role, allowed):
    _, member = joined(api, Role(role))
    run = f"/workflows/{api.workflow()['id']}/run"

    tried = {
        "GET /api-keys": member.ask("GET", "/api-keys").status_code,
        "POST /workflows": member.ask("POST", "/workflows", {}).status_code,
        "POST run": member.ask("POST", run, {}).status_code,
        "GET /workflows": member.ask("GET", "/workflows").status_code,
    }

    assert [name for name, status in tried.items() if status != 403] == allowed


def test_another_role_counts_at_once_for_keys_that_exist(api, joined):
    member_id, member = joined(api, Role.EDITOR)
    assert member.call("GET", "/me")["scopes"] == ["write"]

    changed = api.call("PATCH", f"/members/{member_id}", {"role": "viewer"})

    assert changed["role"] == "viewer"
    me = member.call("GET", "/me")
    assert (me["role"], me["scopes"]) == ("viewer", ["read"])
    assert member.ask("POST", "/workflows", {}).status_code == 403


def test_a_better_role_gives_a_lesser_key_no_more(api, joined):
    member_id, member = joined(api, Role.VIEWER, Scope.READ)

    api.call("PATCH", f"/members/{member_id}", {"role": "owner"})

    me = member.call("GET", "/me")
    assert (me["role"], me["scopes"]) == ("owner", ["read"])


def test_the_keys_of_who_is_removed_are_refused_at_once(api, joined):
    member_id, member = joined(api, Role.OWNER)
    assert member.ask("GET", "/me").status_code == 200

    assert api.ask("DELETE", f"/members/{member_id}").status_code == 204

    assert member.ask("GET", "/me").status_code == 401
    assert api.ask("DELETE", f"/members/{member_id}").status_code == 404


def test_the_last_owner_can_neither_go_nor_become_less(api, joined):
    joined(api, Role.EDITOR)
    me = f"/members/{api.call('GET', '/me')['user']['id']}"

    for answer in (api.ask("DELETE", me), api.ask("PATCH", me, {"role": "editor"})):
        assert answer.status_code == 409
        assert "last owner" in answer.json["detail"]


def test_a_member_changes_nobody(api, joined):
    _, editor = joined(api, Role.EDITOR)
    me = f"/members/{editor.call('GET', '/me')['user']['id']}"

    assert editor.ask("PATCH", me, {"role": "owner"}).status_code == 403
    assert editor.ask("DELETE", me).status_code == 403


def test_another_tenants_member_is_not_there(api, stranger):
    theirs = f"/members/{stranger.call('GET', '/me')['user']['id']}"

    assert api.ask("PATCH", theirs, {"role": "viewer"}).status_code == 404
    assert api.ask("DELETE", theirs).status_code == 404
    assert api.ask("DELETE", "/members/nonsense").status_code == 404


def test_a_role_that_does_not_exist_says_where(api, joined):
    member_id, _ = joined(api, Role.VIEWER)

    answer = api.ask("PATCH", f"/members/{member_id}", {"role": "king"})

    assert answer.status_code == 422
    assert [each["pointer"] for each in answer.json["errors"]] == ["/role"]


def test_a_key_shows_whose_it_is_and_when_it_was_used(api):
    made = api.call("POST", "/api-keys", {"name": "CI", "scopes": ["read"]})
    assert made["last_used_at"] is None
    assert made["user_id"] == api.call("GET", "/me")["user"]["id"]

    Api(api.client, made["key"]).call("GET", "/me")

    [listed, _] = api.call("GET", "/api-keys")["items"]
    assert listed["last_used_at"].endswith("Z")


def test_a_key_is_replaced_while_both_work(api):
    old = api.another_key("read")
    new = api.another_key("read")

    assert old.ask("GET", "/me").status_code == new.ask("GET", "/me").status_code == 200
    first = api.call("GET", "/api-keys")["items"][1]
    api.call("DELETE", f"/api-keys/{first['id']}")

    assert old.ask("GET", "/me").status_code == 401
    assert new.ask("GET", "/me").status_code == 200
