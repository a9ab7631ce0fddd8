from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from app.domain import times
from app.domain.times import rfc3339
from app.factory import create_app
from app.security import keys
from app.store.memory import MemoryStore
from tests.web.conftest import PASSWORD, Api

PERSON = {"email": " Miller@Example.com ", "password": PASSWORD, "tenant": " Mill "}


def fresh(settings, **changes):
    """A client of a service where nobody has registered."""
    return create_app(replace(settings, **changes), store=MemoryStore()).test_client()


def post(client, **changes):
    return client.post("/api/v1/auth/register", json=PERSON | changes)


def test_registration_makes_a_user_a_tenant_and_a_key_that_works(settings):
    client = fresh(settings)

    answer = post(client)

    assert answer.status_code == 201
    assert answer.json["user"]["email"] == "miller@example.com"
    assert answer.json["tenant"]["name"] == "Mill"
    me = Api(client, answer.json["api_key"]).call("GET", "/me")
    assert me == {
        "user": answer.json["user"],
        "tenant": answer.json["tenant"],
        "role": "owner",
        "scopes": ["admin"],
        "csrf_token": None,
    }


def test_after_the_first_registration_signup_is_closed(settings):
    client = fresh(settings, signup="first")
    assert post(client).status_code == 201

    for _ in range(2):
        answer = post(client, email="second@example.com")
        assert answer.status_code == 403
        assert answer.json["type"] == "/problems/signup-closed"


def test_of_eight_first_registrations_at_once_one_succeeds(settings):
    app = fresh(settings, signup="first").application

    def register(number):
        return post(app.test_client(), email=f"p{number}@example.com")

    with ThreadPoolExecutor(8) as people:
        answers = list(people.map(register, range(8)))

    assert sorted(each.status_code for each in answers) == [201] + [403] * 7


def test_an_address_is_registered_once_whatever_its_case(settings):
    client = fresh(settings, signup="open")
    assert post(client).status_code == 201

    assert post(client, email="MILLER@example.com").status_code == 409


@pytest.mark.parametrize("given", [{}, {"setup_token": "wrong"}, {"setup_token": ""}])
def test_with_a_setup_token_the_first_must_know_it(settings, given):
    client = fresh(settings, signup="first", setup_token="sesame")

    answer = post(client, **given)

    assert answer.status_code == 403
    assert answer.json["type"] == "/problems/setup-token"
    assert answer.json["detail"].startswith("The setup_token is missing or wrong; ")
    assert "sesame" not in answer.text
    assert post(client, setup_token="sesame").status_code == 201


def test_in_production_nobody_registers_first_without_a_setup_token(settings):
    client = fresh(settings, env="production", signup="first")

    answer = post(client, setup_token="guess")

    assert answer.status_code == 403
    assert "SLUICE_SETUP_TOKEN" in answer.json["detail"]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"email": "nobody"}, "/email"),
        ({"email": "a@b@c"}, "/email"),
        ({"email": "a b@example.com"}, "/email"),
        ({"email": 7}, "/email"),
        ({"email": "x" * 65 + "@example.com"}, "/email"),
        ({"password": "seven77"}, "/password"),
        ({"password": "é" * 513}, "/password"),
        ({"password": None}, "/password"),
        ({"tenant": "   "}, "/tenant"),
        ({"tenant": "a\nb"}, "/tenant"),
        ({"tenant": "x" * 201}, "/tenant"),
        ({"tenant": "x\0"}, "/tenant"),
        ({"role": "owner"}, "/role"),
    ],
    ids=ascii,
)
def test_a_registration_that_does_not_fit_says_where(client, change, pointer):
    answer = post(client, **change)

    assert answer.status_code == 422
    assert [each["pointer"] for each in answer.json["errors"]] == [pointer]
    assert PASSWORD not in answer.text


def test_every_fault_is_told_at_once(client):
    answer = client.post("/api/v1/auth/register", json={"email": 1, "pw": 2})

    pointers = {each["pointer"] for each in answer.json["errors"]}
    assert pointers == {"/email", "/password", "/tenant", "/pw"}


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer nonsense",
        "Basic dXNlcjpwYXNz",
        "Bearer \u00e9",
        f"Bearer {keys.mint().text}",
    ],
    ids=[
        "none",
        "empty",
        "scheme alone",
        "scheme and space",
        "no key",
        "basic",
        "not ascii",
        "unknown key",
    ],
)
def test_who_shows_no_valid_key_is_401(client, header):
    headers = {} if header is None else {"Authorization": header}

    answer = client.get("/api/v1/me", headers=headers)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert answer.json["type"] == "/problems/unauthorized"


def test_the_right_prefix_with_another_secret_is_401(api, client):
    prefix = api.key.split("_")[1]
    other = keys.mint()
    _, _, secret = other.text.split("_")
    body = f"sluice_{prefix}_{secret[: keys.SECRET_LENGTH]}"
    forged = Api(client, body + keys._checksum(body))

    assert keys.parse(forged.key) is not None
    assert forged.ask("GET", "/me").status_code == 401


def test_a_key_may_do_what_its_scope_includes_and_no_more(api):
    reader, runner = api.another_key("read"), api.another_key("run")
    workflow = api.workflow()
    run = f"/workflows/{workflow['id']}/run"

    assert reader.ask("GET", "/workflows").status_code == 200
    assert runner.ask("GET", "/workflows").status_code == 200
    assert runner.ask("POST", run, {}).status_code == 202
    refused = [
        (reader.ask("POST", run, {}), "run"),
        (runner.ask("DELETE", f"/workflows/{workflow['id']}"), "write"),
        (runner.ask("GET", "/api-keys"), "admin"),
    ]
    for answer, needed in refused:
        assert answer.status_code == 403
        assert answer.json["type"] == "/problems/forbidden"
        assert f"`{needed}`" in answer.json["detail"]


def test_a_new_key_is_shown_once_and_listed_without_its_secret(api):
    made = api.call("POST", "/api-keys", {"name": "CI", "scopes": ["run", "read"]})

    assert made["scopes"] == ["read", "run"]
    assert made["key"].startswith(f"sluice_{made['prefix']}_")
    listed = api.call("GET", "/api-keys")["items"]
    assert [each["name"] for each in listed] == ["CI", "First key"]
    assert all("key" not in each for each in listed)


def test_a_revoked_key_is_refused_at_once_and_revoking_again_is_no_error(api):
    made = api.call("POST", "/api-keys", {"name": "CI", "scopes": ["read"]})
    lesser = Api(api.client, made["key"])
    assert lesser.ask("GET", "/me").status_code == 200

    for _ in range(2):
        assert api.ask("DELETE", f"/api-keys/{made['id']}").status_code == 204

    assert lesser.ask("GET", "/me").status_code == 401
    assert made["id"] not in [
        each["id"] for each in api.call("GET", "/api-keys")["items"]
    ]


def test_an_expired_key_is_refused(api):
    past = rfc3339(times.now() - timedelta(seconds=1))

    expired = api.another_key("read", expires_at=past)

    assert expired.ask("GET", "/me").status_code == 401


def test_a_key_that_ends_grants_none_that_outlives_it(api):
    soon = times.now() + timedelta(hours=1)
    ending = api.another_key("admin", expires_at=rfc3339(soon))
    later = rfc3339(soon + timedelta(milliseconds=1))

    for more in ({}, {"expires_at": later}):
        asked = {"name": "Longer", "scopes": ["read"], **more}
        assert ending.ask("POST", "/api-keys", asked).status_code == 403
    asked = {"name": "As long", "scopes": ["read"], "expires_at": rfc3339(soon)}
    assert ending.ask("POST", "/api-keys", asked).status_code == 201


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"scopes": []}, "/scopes"),
        ({"scopes": ["root"]}, "/scopes/0"),
        ({"scopes": "read"}, "/scopes"),
        ({"expires_at": "tomorrow"}, "/expires_at"),
        ({"expires_at": 4102444800}, "/expires_at"),
        ({"expires_at": "2030-01-01T00:00:00"}, "/expires_at"),
        ({"expires_at": "0001-01-01T00:00:00+23:59"}, "/expires_at"),
        ({"name": ""}, "/name"),
    ],
    ids=str,
)
def test_a_key_that_does_not_fit_says_where(api, change, pointer):
    asked = {"name": "CI", "scopes": ["read"], **change}

    answer = api.ask("POST", "/api-keys", asked)

    assert answer.status_code == 422
    assert [each["pointer"] for each in answer.json["errors"]] == [pointer]


def test_another_tenants_key_cannot_be_revoked(api, stranger):
    made = api.call("POST", "/api-keys", {"name": "CI", "scopes": ["read"]})

    assert stranger.ask("DELETE", f"/api-keys/{made['id']}").status_code == 404
    assert Api(api.client, made["key"]).ask("GET", "/me").status_code == 200
