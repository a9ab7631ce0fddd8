"""Persons who log in: their sessions, and what they may do with them."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask

from app.domain import times
from app.domain.account import Role
from app.domain.session import IDLE, LIFE
from app.factory import create_app
from app.security import tokens
from app.store.memory import MemoryStore
from app.store.protocol import Store
from tests.web import people
from tests.web.conftest import PASSWORD
from tests.web.people import Person

SECOND = timedelta(seconds=1)


@pytest.fixture
def person(app: Flask, store: Store) -> Person:
    """Somebody who is not logged in yet."""
    return people.owner(app, store)


@pytest.fixture
def inside(person: Person) -> Person:
    assert person.log_in().status_code == 200
    return person


def later(store, person, by):
    """Let a person's session lie for a while."""
    sessions = store._state.sessions
    [(name, found)] = [
        (name, each)
        for name, each in sessions.items()
        if each.token_hash == tokens.digest(person.cookie)
    ]
    sessions[name] = replace(
        found, created_at=found.created_at - by, used_at=found.used_at - by
    )
    return name


def test_a_login_tells_who_it_is_and_gives_a_cookie_that_works(person):
    answer = person.log_in()

    assert answer.status_code == 200
    assert answer.json["role"] == "owner"
    assert answer.json["scopes"] == ["admin"]
    assert answer.json["user"]["email"] == person.email
    assert re.fullmatch("[0-9a-f]{64}", answer.json["csrf_token"])
    assert person.call("GET", "/me") == answer.json
    assert person.ask("GET", "/workflows").status_code == 200


def test_the_cookie_is_kept_from_scripts_and_other_sites(person):
    cookie = person.log_in().headers["Set-Cookie"]

    name, _, rest = cookie.partition("=")
    assert name == "sluice"
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(rest.split("; "))
    assert "Domain" not in rest
    assert "Secure" not in rest


@pytest.mark.parametrize(
    "change",
    [{"public_url": "https://sluice.example.com"}, {"env": "production"}],
    ids=str,
)
def test_over_https_the_cookie_is_the_hosts_own_and_secure(settings, change):
    store = MemoryStore()
    app = create_app(
        replace(settings, secret_key="a long random text", **change), store=store
    )
    cookie = people.owner(app, store).log_in().headers["Set-Cookie"]

    name, _, rest = cookie.partition("=")
    assert name == "__Host-sluice"
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(rest.split("; "))
    assert "Domain" not in rest


def test_the_store_has_only_the_hash_of_a_cookie(inside, store):
    assert inside.cookie not in repr(store._state.sessions)
    found = store.sessions.find(tokens.digest(inside.cookie), at=times.now())
    assert found is not None


@pytest.mark.parametrize(
    "change",
    [{"password": "wrong battery staple"}, {"email": "nobody@example.com"}],
    ids=str,
)
def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(
    app, person, change
):
    verified = people.cheap(app).verified

    answer = person.log_in(**change)

    assert answer.status_code == 401
    assert answer.json["detail"] == "The address or the password is wrong."
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert "Set-Cookie" not in answer.headers
    assert people.cheap(app).verified == verified + 1


def test_a_password_of_a_megabyte_is_refused_without_hashing(app, person):
    verified = people.cheap(app).verified

    answer = person.log_in(password="x" * 1_000_000)

    assert answer.status_code == 422
    assert people.cheap(app).verified == verified
    assert len(answer.data) < 1000


def test_a_password_hashed_as_nobody_does_any_more_is_hashed_again(app, store, person):
    user = store.accounts.by_email(person.email)
    store.accounts.rehash(user.id, f"old:{PASSWORD}", was=user.password_hash)

    assert person.log_in().status_code == 200

    found = store.accounts.user(user.id)
    assert found.password_hash == f"plain:{PASSWORD}"
    assert person.log_in().status_code == 200


def test_a_login_ends_the_session_that_the_browser_had(inside):
    before = inside.cookie

    inside.log_in()

    assert inside.cookie != before
    assert len(inside.call("GET", "/sessions")["items"]) == 1


def test_a_cookie_that_somebody_planted_is_never_taken_over(app, person):
    planted = tokens.new()
    person.client.set_cookie("sluice", planted)

    person.log_in()

    assert person.cookie != planted
    other = app.test_client()
    other.set_cookie("sluice", planted)
    assert other.get("/api/v1/me").status_code == 401


def test_after_a_logout_the_cookie_is_dead(app, inside):
    cookie = inside.cookie

    answer = inside.ask("POST", "/auth/logout")

    assert answer.status_code == 204
    assert inside.client.get_cookie("sluice") is None
    thief = app.test_client()
    thief.set_cookie("sluice", cookie)
    refused = thief.get("/api/v1/me")
    assert refused.status_code == 401
    assert refused.json["type"] == "/problems/unauthorized"
    assert "log in again" in refused.json["detail"]


@pytest.mark.parametrize("cookie", ["", "x", "é", "a" * 32, "a" * 5000])
def test_a_made_up_cookie_is_401(app, cookie):
    answer = app.test_client().get("/api/v1/me", headers={"Cookie": f"sluice={cookie}"})

    assert answer.status_code == 401


def test_a_wrong_key_is_never_made_up_for_by_a_cookie(inside):
    for header in ("Bearer sluice_wrong", "Bearer", "Basic eDp5", ""):
        answer = inside.ask("GET", "/me", Authorization=header)
        assert answer.status_code == 401, header


def test_a_right_key_counts_and_not_the_cookie_beside_it(inside, api):
    answer = inside.ask("GET", "/me", Authorization=f"Bearer {api.key}")

    assert answer.json["user"] == api.call("GET", "/me")["user"]
    assert answer.json["csrf_token"] is None


@pytest.mark.parametrize(
    ("by", "status"),
    [(IDLE - SECOND, 200), (IDLE, 401), (LIFE, 401)],
    ids=str,
)
def test_a_session_that_lies_idle_ends(inside, store, by, status):
    later(store, inside, by)

    assert inside.ask("GET", "/me").status_code == status


def test_use_keeps_a_session_alive_but_not_for_ever(inside, store):
    for _ in range(15):
        later(store, inside, IDLE - 60 * SECOND)
        status = inside.ask("GET", "/me").status_code
        if status != 200:
            break

    assert status == 401
    assert LIFE / IDLE == 14


def test_a_persons_sessions_are_listed_and_ended_one_by_one(app, inside):
    second = Person(app, inside.email)
    second.log_in()

    listed = inside.call("GET", "/sessions")["items"]
    assert [each["current"] for each in listed] == [False, True]
    assert listed[0]["address"] == "127.0.0.1"
    assert listed[0]["agent"].startswith("Werkzeug/")
    assert inside.cookie not in str(listed)

    ended = inside.ask("DELETE", f"/sessions/{listed[0]['id']}")
    assert ended.status_code == 204
    assert second.ask("GET", "/me").status_code == 401
    assert inside.ask("GET", "/me").status_code == 200


def test_all_other_sessions_end_together(app, inside):
    others = [Person(app, inside.email) for _ in range(2)]
    for each in others:
        each.log_in()

    assert inside.ask("DELETE", "/sessions").status_code == 204

    assert [each.ask("GET", "/me").status_code for each in others] == [401, 401]
    assert inside.ask("GET", "/me").status_code == 200


def test_another_persons_session_is_not_there(app, store, inside):
    other = people.owner(app, store)
    other.log_in()
    [theirs] = other.call("GET", "/sessions")["items"]

    assert inside.ask("DELETE", f"/sessions/{theirs['id']}").status_code == 404
    assert inside.ask("DELETE", "/sessions/nonsense").status_code == 404
    assert other.ask("GET", "/me").status_code == 200


def test_a_person_goes_on_in_another_tenant_with_another_cookie(
    app, store, inside, api
):
    people.join(store, inside, api, Role.VIEWER)
    places = inside.call("GET", "/tenants")["items"]
    assert [each["role"] for each in places] == ["viewer", "owner"]
    there = api.call("GET", "/me")["tenant"]
    before, token = inside.cookie, inside.me["csrf_token"]

    told = inside.call("POST", "/auth/switch", {"tenant_id": there["id"]})

    assert (told["tenant"], told["role"]) == (there, "viewer")
    assert inside.cookie != before
    assert told["csrf_token"] != token
    assert inside.call("GET", "/me") == told
    assert inside.ask("POST", "/workflows", {}).status_code == 403
    thief = app.test_client()
    thief.set_cookie("sluice", before)
    assert thief.get("/api/v1/me").status_code == 401


def test_a_switch_makes_no_session_live_longer(store, inside):
    name = later(store, inside, IDLE - SECOND)
    began = store._state.sessions[name].created_at

    told = inside.call("POST", "/auth/switch", {"tenant_id": inside.me["tenant"]["id"]})

    [listed] = inside.call("GET", "/sessions")["items"]
    assert listed["created_at"] == times.rfc3339(began)
    assert told["tenant"] == inside.me["tenant"]


@pytest.mark.parametrize("route", ["/auth/switch", "/auth/login"])
def test_a_tenant_that_one_is_not_in_is_not_there(inside, stranger, route):
    theirs = stranger.call("GET", "/me")["tenant"]["id"]
    asked = {"tenant_id": theirs}
    if route == "/auth/login":
        asked |= {"email": inside.email, "password": PASSWORD}

    assert inside.ask("POST", route, asked).status_code == 404
    asked["tenant_id"] = "tenant_none"
    assert inside.ask("POST", route, asked).status_code == 404


def test_who_is_removed_is_out_at_once_and_can_log_in_nowhere(app, store, api):
    person = people.owner(app, store)
    person.log_in()
    people.join(store, person, api, Role.EDITOR)
    there = api.call("GET", "/me")["tenant"]["id"]
    person.call("POST", "/auth/switch", {"tenant_id": there})

    api.call("DELETE", f"/members/{person.me['user']['id']}")

    assert person.ask("GET", "/me").status_code == 401
    assert person.log_in(tenant_id=there).status_code == 404
    assert person.log_in().status_code == 200  # in the tenant of one's own


def test_who_is_in_no_tenant_is_told_so(app, store):
    first = people.owner(app, store)
    first.log_in()
    second = people.owner(app, store)
    second.log_in()
    people.join(store, second, first, Role.OWNER)
    there = first.me["tenant"]["id"]
    second.call("POST", "/auth/switch", {"tenant_id": there})
    second.call("DELETE", f"/members/{first.me['user']['id']}")

    answer = first.log_in()

    assert answer.status_code == 403
    assert people.problem(answer) == "no-tenant"


def test_another_role_counts_at_once(app, store, api):
    person = people.owner(app, store)
    person.log_in()
    people.join(store, person, api, Role.EDITOR)
    there = api.call("GET", "/me")["tenant"]["id"]
    person.call("POST", "/auth/switch", {"tenant_id": there})
    assert person.ask("POST", "/workflows", {}).status_code == 422

    member = f"/members/{person.me['user']['id']}"
    api.call("PATCH", member, {"role": "viewer"})

    assert person.ask("POST", "/workflows", {}).status_code == 403
    assert person.call("GET", "/me")["scopes"] == ["read"]


def test_a_key_is_no_person(api):
    for method, path in (
        ("GET", "/sessions"),
        ("DELETE", "/sessions"),
        ("GET", "/tenants"),
        ("POST", "/auth/logout"),
    ):
        answer = api.ask(method, path)
        assert answer.status_code == 403
        assert "logged in" in answer.json["detail"]


def test_logins_and_switches_are_in_the_log_of_their_tenant(inside, store, api):
    people.join(store, inside, api, Role.OWNER)
    there = api.call("GET", "/me")["tenant"]["id"]
    [began] = inside.call("GET", "/audit?action=session.begin")["items"]
    [first] = inside.call("GET", "/sessions")["items"]

    inside.call("POST", "/auth/switch", {"tenant_id": there})

    [went_on] = inside.call("GET", "/audit?action=session.begin")["items"]
    [second] = inside.call("GET", "/sessions")["items"]
    assert began["target"] == began["via"] == first["id"]
    assert went_on["target"] == went_on["via"] == second["id"]
    for entry in (began, went_on):
        assert entry["user_id"] == inside.me["user"]["id"]
        assert entry["address"] == "127.0.0.1"
