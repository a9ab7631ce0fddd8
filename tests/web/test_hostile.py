"""What somebody tries who wants in, or wants more than he was given."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from app.domain.account import Role
from tests.web import joining, people
from tests.web.conftest import PASSWORD, Api
from tests.web.people import Person

LOGIN = "/api/v1/auth/login"
ME = "/api/v1/me"


@pytest.fixture(autouse=True)
def passwords(app) -> None:
    people.cheap(app)  # whichever test comes first


@pytest.fixture
def person(app, store) -> Person:
    made = people.owner(app, store)
    assert made.log_in().status_code == 200
    return made


@pytest.mark.parametrize(
    "odd",
    [
        {"email": {"$ne": None}},
        {"email": ["miller@example.com"]},
        {"email": True},
        {"password": {"$gt": ""}},
        {"password": [PASSWORD]},
        {"password": 12345678},
        {"password": None},
        {"tenant_id": {}},
        {"tenant_id": 7},
        {"role": "owner"},
        {"is_admin": True},
    ],
    ids=str,
)
def test_no_other_type_and_no_further_field_is_taken_for_a_login(client, person, odd):
    asked = {"email": person.email, "password": PASSWORD, **odd}

    answer = client.post(LOGIN, json=asked)

    assert answer.status_code == 422
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    ("method", "path", "odd"),
    [
        ("POST", "/api-keys", {"name": "a", "scopes": ["read"], "tenant_id": "x"}),
        ("POST", "/api-keys", {"name": "a", "scopes": ["read"], "user_id": "x"}),
        ("POST", "/api-keys", {"name": "a", "scopes": "admin"}),
        ("POST", "/api-keys", {"name": "a", "scopes": ["owner"]}),
        ("POST", "/invitations", {"email": "a@b.example", "role": ["owner"]}),
        ("POST", "/invitations", {"email": ["a@b.example"], "role": "viewer"}),
        ("POST", "/auth/accept-invitation", {"token": "x" * 43, "role": "owner"}),
        ("POST", "/credentials", {"name": "a", "type": "secret", "data": "x"}),
    ],
)
def test_no_field_that_was_not_offered_is_taken(api, method, path, odd):
    assert api.ask(method, path, odd).status_code == 422


def test_a_cookie_is_no_key_and_a_key_is_no_cookie(app, person, api):
    client = app.test_client(use_cookies=False)
    as_key = {"Authorization": f"Bearer {person.cookie}"}
    as_cookie = {"Cookie": f"sluice={api.key}"}

    for proof in (as_key, as_cookie):
        assert client.get(ME, headers=proof).status_code == 401


@pytest.mark.parametrize("scheme", ["Basic", "Digest", "Token", "Bearer:", ""])
def test_a_key_counts_in_its_header_and_scheme_and_nowhere_else(app, api, scheme):
    client = app.test_client(use_cookies=False)
    proof = {"Authorization": f"{scheme} {api.key}".strip()}

    assert client.get(ME, headers=proof).status_code == 401
    for name in ("key", "api_key", "access_token", "token"):
        assert client.get(f"{ME}?{name}={api.key}").status_code == 401
    assert client.get(ME, headers={"X-Api-Key": api.key}).status_code == 401


def test_of_two_cookies_of_one_name_none_lets_another_in(app, person):
    client = app.test_client(use_cookies=False)
    theirs = "x" * len(person.cookie)

    for cookies in (
        f"sluice={theirs}; sluice={person.cookie}",
        f"sluice={person.cookie}; sluice={theirs}",
        f"Sluice={person.cookie}",
        f'sluice="{person.cookie}',
        f"sluice={person.cookie}\x01",
    ):
        answer = client.get(ME, headers={"Cookie": cookies})
        assert answer.status_code in {200, 401}
        if answer.status_code == 200:
            assert answer.json["user"]["email"] == person.email


@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-Method-Override"])
def test_no_header_makes_another_method_of_one_that_reads(api, header):
    workflow = api.workflow()
    path = f"/workflows/{workflow['id']}"

    api.ask("GET", path, headers={header: "DELETE"})
    api.ask("GET", f"{path}?_method=DELETE", headers={header: "DELETE"})

    assert api.ask("GET", path).status_code == 200


def test_one_invitation_lets_one_of_twelve_in(app, api):
    people.cheap(app)
    guest = {"email": "race@example.com", "role": "viewer"}
    token = api.call("POST", "/invitations", guest)["token"]

    def accept(_: int) -> Any:
        asked = {"token": token, "password": PASSWORD}
        return (
            app.test_client()
            .post("/api/v1/auth/accept-invitation", json=asked)
            .status_code
        )

    with ThreadPoolExecutor(8) as guests:
        statuses = sorted(guests.map(accept, range(12)))

    assert statuses.count(201) == 1
    assert set(statuses) <= {201, 401, 404, 409, 429}
    emails = [each["email"] for each in api.call("GET", "/members")["items"]]
    assert emails.count("race@example.com") == 1


@pytest.mark.parametrize("role", [Role.EDITOR, Role.OPERATOR, Role.VIEWER])
def test_nobody_but_an_owner_makes_anybody_more_than_he_is(
    app, store, client, api, role
):
    user_id, key = joining.join(client, store, api, role)
    tenant_id = api.call("GET", "/me")["tenant"]["id"]
    browser = joining.Browser(app, store, tenant_id, user_id)
    tries = [
        ("PATCH", f"/members/{user_id}", {"role": "owner"}),
        ("POST", "/invitations", {"email": "friend@example.com", "role": "owner"}),
        ("POST", "/invitations", {"email": "friend@example.com", "role": "viewer"}),
        ("POST", "/api-keys", {"name": "More", "scopes": ["admin"]}),
    ]

    for method, path, value in tries:
        in_browser = browser.client.open(
            f"/api/v1{path}", method=method, json=value, headers=browser.headers
        )
        assert key.ask(method, path, value).status_code == 403
        assert in_browser.status_code == 403
    assert key.call("GET", "/me")["role"] == role


def test_an_owner_who_became_less_has_no_way_back(client, store, api):
    user_id, second = joining.join(client, store, api, Role.OWNER)
    spare = second.call("POST", "/api-keys", {"name": "Spare", "scopes": ["admin"]})
    invited = second.call(
        "POST", "/invitations", {"email": "friend@example.com", "role": "owner"}
    )
    api.call("PATCH", f"/members/{user_id}", {"role": "viewer"})

    for key in (second, Api(client, spare["key"])):
        again = key.ask("PATCH", f"/members/{user_id}", {"role": "owner"})
        assert again.status_code == 403
        more = key.ask("POST", "/api-keys", {"name": "More", "scopes": ["read"]})
        assert more.status_code == 403
        assert key.call("GET", "/me")["scopes"] == ["read"]
    asked = {"token": invited["token"], "password": PASSWORD}
    accepted = client.post("/api/v1/auth/accept-invitation", json=asked)
    assert accepted.status_code == 404


def test_what_a_browser_calls_itself_is_told_without_tricks(app, person):
    tricks = "\x1b[2J<script>alert(1)</script>\u202e\x7f"
    client = app.test_client()
    asked = {"email": person.email, "password": PASSWORD}
    client.post(
        LOGIN, json=asked, headers={"User-Agent": tricks.encode().decode("latin-1")}
    )

    told = [each["agent"] for each in person.call("GET", "/sessions")["items"]]

    assert all(each.isascii() and each.isprintable() for each in told)
    assert any("<script>" in each for each in told)  # as JSON, which nobody runs


@pytest.mark.parametrize(
    "path", ["/api/v1/me/", "//api/v1/me", "/api/v1/%6de", "/API/V1/ME", "/api/v1/me;x"]
)
def test_no_other_spelling_of_a_path_goes_around_the_guard(app, path):
    answer = app.test_client(use_cookies=False).get(path)

    assert answer.status_code in {401, 404}
