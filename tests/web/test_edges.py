"""What stands around every route: CORS, hosts, proxies."""

from dataclasses import replace

import pytest
from flask import request

from app.factory import create_app
from app.store.memory import MemoryStore

ORIGIN = "https://app.example.com"
LOCAL = "http://localhost:5173"


def client_of(settings, **changes):
    return create_app(replace(settings, **changes), store=MemoryStore()).test_client()


def preflight(client, origin: str, path: str = "/api/v1/workflows"):
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization, content-type, x-evil",
    }
    return client.options(path, headers=headers)


def allowed(answer) -> str | None:
    origin: str | None = answer.headers.get("Access-Control-Allow-Origin")
    return origin


def test_a_named_origin_may_call_with_credentials_for_five_minutes(settings):
    answer = preflight(client_of(settings, cors_origins=(ORIGIN,)), ORIGIN)

    assert answer.status_code == 200
    headers = answer.headers
    assert allowed(answer) == ORIGIN
    assert headers["Access-Control-Allow-Credentials"] == "true"
    assert headers["Access-Control-Max-Age"] == "300"
    asked = headers["Access-Control-Allow-Headers"].lower()
    assert asked == "authorization, content-type"
    assert "POST" in headers["Access-Control-Allow-Methods"]


def test_a_named_origin_may_read_ids_and_places(settings):
    client = client_of(settings, cors_origins=(ORIGIN,))

    answer = client.get("/health", headers={"Origin": ORIGIN})

    exposed = answer.headers["Access-Control-Expose-Headers"]
    assert set(exposed.split(", ")) == {"Location", "Retry-After", "X-Request-Id"}


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example.com",
        f"{ORIGIN}.evil.com",
        "null",
        "http://app.example.com",
    ],
)
def test_an_origin_that_is_not_named_may_nothing(settings, origin):
    client = client_of(settings, cors_origins=(ORIGIN,))

    for answer in (
        preflight(client, origin),
        client.get("/health", headers={"Origin": origin}),
    ):
        assert not [name for name, _ in answer.headers if "Access-Control" in name]


def test_in_production_no_origin_is_allowed_unless_named(settings):
    client = client_of(settings, env="production")

    for origin in (ORIGIN, LOCAL, "null"):
        assert allowed(preflight(client, origin)) is None


def test_in_development_pages_of_this_machine_may_call(settings):
    client = client_of(settings)

    assert allowed(preflight(client, LOCAL)) == LOCAL
    assert allowed(preflight(client, "http://localhost.evil.com")) is None
    assert allowed(preflight(client, ORIGIN)) is None


@pytest.mark.parametrize("origins", [(), (ORIGIN,), (ORIGIN, LOCAL)])
@pytest.mark.parametrize("path", ["/health", "/nowhere", "/api/v1/me", "/openapi.json"])
def test_every_answer_varies_by_origin_exactly_once(settings, origins, path):
    client = client_of(settings, cors_origins=origins)

    for headers in ({}, {"Origin": ORIGIN}):
        assert client.get(path, headers=headers).headers.getlist("Vary") == ["Origin"]


def test_a_refusal_can_be_read_by_a_named_origin_too(settings):
    client = client_of(settings, cors_origins=(ORIGIN,))

    answer = client.get("/api/v1/me", headers={"Origin": ORIGIN})

    assert (answer.status_code, allowed(answer)) == (401, ORIGIN)


def test_only_trusted_hosts_are_served(settings):
    client = client_of(settings, trusted_hosts=("sluice.example.com", ".internal"))

    for host in ("sluice.example.com", "sluice.example.com:8000", "a.internal"):
        assert client.get("/health", headers={"Host": host}).status_code == 200
    for host in ("evil.example.com", "sluice.example.com.evil.com", "a b", "[::1"):
        answer = client.get("/health", headers={"Host": host})
        assert answer.status_code == 400
        assert answer.content_type == "application/problem+json"


def test_without_trusted_hosts_any_is_served(settings):
    answer = client_of(settings).get("/health", headers={"Host": "anything.example"})

    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("hops", "seen"), [(0, "127.0.0.1"), (1, "3.3.3.3"), (2, "2.2.2.2")]
)
def test_the_clients_address_is_taken_from_as_many_proxies_as_there_are(
    settings, hops, seen
):
    app = create_app(replace(settings, proxy_hops=hops), store=MemoryStore())
    addresses = []

    @app.before_request
    def note() -> None:
        addresses.append(request.remote_addr)

    chain = {"X-Forwarded-For": "1.1.1.1, 2.2.2.2, 3.3.3.3"}
    app.test_client().get("/health", headers=chain)

    assert addresses == [seen]
