"""No page of another site uses somebody's session."""

from dataclasses import replace

import pytest

from app.factory import create_app
from app.store.memory import MemoryStore
from tests.web import people, routes
from tests.web.people import Person

HERE = "http://localhost"
ELSEWHERE = "https://evil.example"
ASKED = {"name": "CI", "scopes": ["read"]}


@pytest.fixture
def person(app, store) -> Person:
    made = people.owner(app, store)
    assert made.log_in().status_code == 200
    return made


def unsafe(app):
    return [
        each
        for each in routes.every(app)
        if each.is_unsafe and each.operation.scope is not None
    ]


def test_every_unsafe_route_refuses_a_session_without_its_token(app, person):
    tried = 0
    for route in unsafe(app):
        for token in ({}, {"X_CSRF_Token": "0" * 64}, {"X_CSRF_Token": "é"}):
            path = route.rule.removeprefix("/api/v1")
            bare = Person(app, person.email)
            bare.client = person.client
            answer = bare.ask(route.method, path, {}, **token)
            assert answer.status_code == 403, route.name
            assert people.problem(answer) == "csrf"
        tried += 1

    assert tried >= 20


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": ELSEWHERE},
        {"Origin": "null"},
        {"Origin": "http://localhost.evil.example"},
        {"Origin": "http://localhost:8000.evil.example"},
        {"Origin": ELSEWHERE, "Sec_Fetch_Site": "same-origin"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
    ids=str,
)
def test_every_unsafe_route_refuses_another_site_that_has_the_token(
    app, person, headers
):
    for route in unsafe(app):
        path = route.rule.removeprefix("/api/v1")
        answer = person.ask(route.method, path, {}, **headers)
        assert answer.status_code == 403, route.name
        assert answer.json["type"] == "/problems/csrf"
        assert "another site" in answer.json["detail"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": HERE},
        {"Origin": HERE, "Sec_Fetch_Site": "same-origin"},
        {"Origin": "http://localhost:8000"},  # of SLUICE_PUBLIC_URL
        {"Origin": "http://127.0.0.1:5173", "Sec_Fetch_Site": "cross-site"},  # CORS
        {"Sec_Fetch_Site": "none"},
    ],
    ids=str,
)
def test_ones_own_pages_and_those_that_cors_names_are_let_through(person, headers):
    answer = person.ask("POST", "/api-keys", ASKED, **headers)

    assert answer.status_code == 201


def test_only_the_origins_that_are_named_use_a_session(settings):
    store = MemoryStore()
    named = replace(settings, cors_origins=("https://app.example",))
    app = create_app(named, store=store)
    person = people.owner(app, store)
    person.log_in()

    told = {
        origin: person.ask("POST", "/api-keys", ASKED, Origin=origin).status_code
        for origin in ("https://app.example", "http://127.0.0.1:5173", "*")
    }

    assert told == {
        "https://app.example": 201,
        "http://127.0.0.1:5173": 403,
        "*": 403,
    }


def test_nobody_is_logged_in_by_a_page_of_another_site(app, store):
    person = people.owner(app, store)
    asked = {"email": person.email, "password": person.password}

    answer = person.ask("POST", "/auth/login", asked, Origin=ELSEWHERE)

    assert answer.status_code == 403
    assert "Set-Cookie" not in answer.headers


def test_reading_needs_no_token(app, person):
    bare = Person(app, person.email)
    bare.client = person.client

    assert bare.ask("GET", "/me", Sec_Fetch_Site="cross-site").status_code == 200


def test_keys_need_no_token_wherever_they_come_from(api):
    headers = {"Origin": ELSEWHERE, "Sec-Fetch-Site": "cross-site"}

    assert api.ask("POST", "/api-keys", ASKED, headers=headers).status_code == 201


def test_another_sessions_token_is_not_this_ones(app, person):
    other = Person(app, person.email)
    other.log_in()

    answer = person.ask("POST", "/api-keys", ASKED, X_CSRF_Token=other.me["csrf_token"])

    assert answer.status_code == 403


def test_hooks_do_not_look_at_the_cookie(api, person):
    workflow = api.workflow()
    path = workflow["webhook_url"].removeprefix("http://localhost:8000")

    answer = person.client.post(path, json={}, headers={"Origin": ELSEWHERE})

    assert answer.status_code == 202


def test_the_token_depends_on_the_secret_key(settings):
    store = MemoryStore()
    apps = [
        create_app(replace(settings, secret_key=f"secret {n}"), store=store)
        for n in range(2)
    ]
    person = people.owner(apps[0], store)
    person.log_in()
    elsewhere = Person(apps[1], person.email)
    elsewhere.client.set_cookie("sluice", person.cookie)

    assert elsewhere.call("GET", "/me")["user"] == person.me["user"]
    assert elsewhere.call("GET", "/me")["csrf_token"] != person.me["csrf_token"]
