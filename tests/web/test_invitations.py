"""Inviting people, and coming with an invitation."""

from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask

from app.domain import times
from app.domain.account import Role
from app.domain.times import rfc3339
from app.security import tokens
from app.store.protocol import Store
from tests.web import people
from tests.web.people import PASSWORD, Person

NEW = "another horse battery staple"
ONCE = ("token", "link", "accept_url")  # shown


@pytest.fixture(autouse=True)
def _cheap(app: Flask, store: Store) -> None:
    people.cheap(app)
    store.tries.sweep(times.now() + timedelta(days=2), limit=1000)


def invite(host, email="guest@example.com", role="editor", **more):
    return host.call("POST", "/invitations", {"email": email, "role": role, **more})


def accept(client, token, **asked):
    asked = {"token": token, **asked}
    return client.post("/api/v1/auth/accept-invitation", json=asked)


def fresh(name):
    return f"{name}-{tokens.new()[:8]}@example.com".lower()


def test_an_invitation_is_shown_once_and_listed_without_its_secret(api):
    made = invite(api, " Guest@Example.com ")

    assert made["email"] == "guest@example.com"
    assert made["role"] == "editor"
    assert made["invited_by"] == api.call("GET", "/me")["user"]["id"]
    assert made["link"] == f"http://localhost:8000/accept-invitation#{made['token']}"
    assert made["accept_url"] == "http://localhost:8000/api/v1/auth/accept-invitation"
    [listed] = api.call("GET", "/invitations")["items"]
    assert listed == {k: v for k, v in made.items() if k not in ONCE}


def test_the_store_has_only_the_hash_of_the_secret(api, store):
    made = invite(api)

    assert made["token"] not in repr(store._state.invitations)


def test_a_newcomer_sets_a_password_and_is_in(api, app, client):
    email = fresh("new")
    made = invite(api, email, "operator")

    answer = accept(client, made["token"], password=NEW)

    assert answer.status_code == 201
    assert answer.json["user"]["email"] == email
    assert answer.json["tenant"] == api.call("GET", "/me")["tenant"]
    assert answer.json["role"] == "operator"
    guest = Person(app, email, NEW)
    assert guest.log_in().status_code == 200
    assert guest.me["scopes"] == ["run"]


def test_a_user_joins_another_tenant_with_his_password(api, app, store, client):
    person = people.owner(app, store)
    made = invite(api, person.email.upper())

    assert accept(client, made["token"], password="wrong horse").status_code == 401
    assert accept(client, made["token"], password=PASSWORD).status_code == 201

    person.log_in()
    places = {
        each["id"]: each["role"] for each in person.call("GET", "/tenants")["items"]
    }
    assert places[api.call("GET", "/me")["tenant"]["id"]] == "editor"
    assert len(places) == 2


def test_a_user_who_is_logged_in_needs_no_password(api, app, store):
    person = people.owner(app, store)
    person.log_in()
    made = invite(api, person.email)

    answer = person.ask("POST", "/auth/accept-invitation", {"token": made["token"]})

    assert answer.status_code == 201
    assert len(person.call("GET", "/tenants")["items"]) == 2


def test_a_page_of_another_site_accepts_nothing_for_him(api, app, store):
    person = people.owner(app, store)
    person.log_in()
    asked = {"token": invite(api, person.email)["token"]}
    route = ("POST", "/auth/accept-invitation", asked)

    assert person.ask(*route, X_CSRF_Token="0").status_code == 403
    assert person.ask(*route, Origin="https://evil.example").status_code == 403

    assert person.ask(*route).status_code == 201


def test_an_invitation_for_another_address_is_not_his(api, app, store):
    person = people.owner(app, store)
    person.log_in()
    asked = {"token": invite(api, fresh("other"))["token"]}

    answer = person.ask("POST", "/auth/accept-invitation", asked)

    assert answer.status_code == 403
    assert people.problem(answer) == "other-address"


def test_without_password_and_session_it_is_401(api, client):
    made = invite(api, fresh("new"))

    assert accept(client, made["token"]).status_code == 401
    assert (
        api.ask("POST", "/auth/accept-invitation", {"token": made["token"]}).status_code
        == 401
    )
    assert accept(client, made["token"], password=NEW).status_code == 201


def test_an_invitation_works_once(api, client):
    made = invite(api, fresh("new"))
    assert accept(client, made["token"], password=NEW).status_code == 201

    again = accept(client, made["token"], password=NEW)

    assert again.status_code == 404
    assert "used" in again.json["detail"]
    assert api.call("GET", "/invitations")["items"] == []


def test_one_that_is_withdrawn_made_up_or_expired_is_refused(api, client, store):
    withdrawn, expired = invite(api, fresh("a")), invite(api, fresh("b"))
    assert api.ask("DELETE", f"/invitations/{withdrawn['id']}").status_code == 204
    known = store._state.invitations
    [name] = [each for each in known if each[1] == expired["id"]]
    known[name] = replace(known[name], expires_at=times.now())

    for token in (withdrawn["token"], expired["token"], tokens.new(), "x"):
        assert accept(client, token, password=NEW).status_code == 404
    assert api.ask("DELETE", f"/invitations/{withdrawn['id']}").status_code == 404


def test_who_is_an_owner_no_more_has_invited_nobody(api, app, store, client):
    second = people.owner(app, store)
    second.log_in()
    people.join(store, second, api, Role.OWNER)
    there = api.call("GET", "/me")["tenant"]["id"]
    second.call("POST", "/auth/switch", {"tenant_id": there})
    made = invite(second, fresh("friend"), "owner")

    api.call("PATCH", f"/members/{second.me['user']['id']}", {"role": "editor"})

    assert accept(client, made["token"], password=NEW).status_code == 404


def test_a_member_is_not_invited(api):
    me = api.call("GET", "/me")["user"]["email"]

    answer = api.ask("POST", "/invitations", {"email": me, "role": "viewer"})

    assert answer.status_code == 409


def test_only_owners_invite_see_and_withdraw(api):
    editor = api.another_key("write")
    made = invite(api, fresh("new"))

    asked = {"email": "a@example.com", "role": "viewer"}
    assert editor.ask("POST", "/invitations", asked).status_code == 403
    assert editor.ask("GET", "/invitations").status_code == 403
    assert editor.ask("DELETE", f"/invitations/{made['id']}").status_code == 403


def test_another_tenants_invitation_is_not_there(api, stranger):
    made = invite(api, fresh("new"))

    assert stranger.ask("DELETE", f"/invitations/{made['id']}").status_code == 404
    assert stranger.ask("DELETE", "/invitations/nonsense").status_code == 404
    assert stranger.call("GET", "/invitations")["items"] == []


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"email": "nobody"}, "/email"),
        ({"role": "king"}, "/role"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "/expires_at"),
        ({"expires_at": "2120-01-01T00:00:00Z"}, "/expires_at"),
        ({"tenant_id": "tenant_1"}, "/tenant_id"),
    ],
    ids=str,
)
def test_one_that_does_not_fit_says_where(api, change, pointer):
    asked = {"email": "a@example.com", "role": "viewer", **change}

    answer = api.ask("POST", "/invitations", asked)

    assert answer.status_code == 422
    assert [each["pointer"] for each in answer.json["errors"]] == [pointer]


def test_it_lives_a_week_unless_it_says_otherwise(api):
    tomorrow = rfc3339(times.now() + timedelta(days=1))

    usual = invite(api, fresh("a"))
    short = invite(api, fresh("b"), expires_at=tomorrow)

    assert short["expires_at"] == tomorrow
    week = timedelta(days=7)
    assert usual["expires_at"][:10] == rfc3339(times.now() + week)[:10]


def test_a_short_password_makes_no_user(api, client):
    made = invite(api, fresh("new"))

    assert accept(client, made["token"], password="seven77").status_code == 422
    assert accept(client, made["token"], password="x" * 1025).status_code == 422
    assert accept(client, made["token"], password=NEW).status_code == 201


def test_who_comes_is_in_the_log(api, client):
    made = invite(api, fresh("new"))
    joined = accept(client, made["token"], password=NEW).json["user"]

    [entry] = api.call("GET", "/audit?action=member.join")["items"]

    assert entry["user_id"] == entry["target"] == joined["id"]
    assert entry["via"] == made["id"]
    assert entry["changes"]["role"] == {"old": None, "new": "editor"}
    assert made["token"] not in str(api.call("GET", "/audit"))
