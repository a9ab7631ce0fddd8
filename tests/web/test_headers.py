"""What every answer tells a browser, whichever route it comes from."""

from dataclasses import replace

import pytest

from app.factory import create_app
from app.store.memory import MemoryStore
from tests.web import routes
from tests.web.conftest import hook_of
from tests.web.routes import SAFE

OPEN_TO_CACHES = {"/schemas/workflow.json", "/docs", "/docs/{asset}"}
YEAR = "max-age=31536000"


def nothing_open(policy: str) -> bool:
    """Whether a policy names every door that does not fall back to the default."""
    rules = {name: rest for name, _, rest in map(_rule, policy.split(";"))}
    shut = ("default-src", "base-uri", "form-action", "frame-ancestors")
    inline = "unsafe" in policy or "*" in policy or "http" in policy
    return not inline and all(rules.get(each) == "'none'" for each in shut)


def _rule(text: str) -> tuple[str, str, str]:
    return text.strip().partition(" ")


def assert_careful(answer, *, cached: bool = False):
    headers = answer.headers
    assert nothing_open(headers["Content-Security-Policy"])
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert cached or headers["Cache-Control"] == "no-store"
    assert headers.getlist("X-Request-Id")
    assert "Set-Cookie" not in headers


@pytest.fixture(scope="module")
def every(app):
    return routes.every(app)


def test_every_route_answers_with_careful_headers_whoever_asks(every, api, store):
    scene = routes.Scene(api, store)
    for route in every:
        path, value = scene.path(route, fresh=False), scene.body(route)
        cached = route.rule in OPEN_TO_CACHES
        nobody = api.client.open(path, method=route.method)
        assert_careful(nobody, cached=cached)
        if route.method in SAFE:
            found = routes.call(api, route, path)
            assert found.status_code < 300 or not route.takes_keys, route.name
            assert_careful(found, cached=cached)
        elif value is not None:
            misfit = routes.call(api, route, path, {"surprise": 1})
            assert misfit.status_code == (403 if route.is_for_persons else 422)
            assert_careful(misfit)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/api/v1/nowhere", 404),
        ("DELETE", "/api/v1/me", 405),
        ("BREW", "/health", 405),
        ("POST", "/hooks/" + "x" * 22, 404),
        ("OPTIONS", "/api/v1/me", 200),
        ("HEAD", "/api/v1/me", 401),
    ],
)
def test_so_does_what_no_route_takes(client, method, path, status):
    answer = client.open(path, method=method)

    assert answer.status_code == status
    assert_careful(answer)


def test_so_does_an_error_of_ours(settings, caplog):
    class Broken(MemoryStore):
        def check(self) -> None:
            raise RuntimeError("broken")

    client = create_app(settings, store=Broken()).test_client()

    answer = client.get("/health/ready")

    assert answer.status_code == 500
    assert_careful(answer)
    caplog.clear()


def test_what_a_workflow_answers_is_a_page_without_an_origin(api):
    workflow = api.workflow(
        "Page",
        {
            "id": "page",
            "uses": "respond",
            "with": {
                "headers": {"Content-Type": "text/html"},
                "body": "<script>alert(1)</script>",
            },
        },
        respond="on_finish",
    )

    answer = api.client.post(hook_of(workflow))

    assert answer.status_code == 200
    assert answer.content_type == "text/html"
    assert_careful(answer)
    assert answer.headers["Content-Security-Policy"].endswith("; sandbox")


@pytest.mark.parametrize(
    "name",
    [
        "Set-Cookie",
        "Content-Security-Policy",
        "content-security-policy-report-only",
        "X-Content-Type-Options",
        "Referrer-Policy",
        "Strict-Transport-Security",
        "Service-Worker-Allowed",
        "Clear-Site-Data",
        "Alt-Svc",
        "Refresh",
        "Access-Control-Allow-Origin",
        "Access-Control-Allow-Headers",
        "Cross-Origin-Resource-Policy",
    ],
)
def test_a_workflow_cannot_speak_for_the_origin(api, name):
    step = {"id": "a", "uses": "respond", "with": {"headers": {name: "x"}}}
    waits = {"type": "webhook", "respond": "on_finish"}
    definition = {"trigger": waits, "steps": [step]}

    answer = api.ask("POST", "/workflows", {"name": name, "definition": definition})

    assert answer.status_code == 422
    assert f"may not set {name.lower()}" in answer.json["errors"][0]["message"]


def sts(client, path="/health", **headers):
    return client.get(path, headers=headers).headers.get("Strict-Transport-Security")


def test_browsers_are_told_to_stay_with_https_where_a_proxy_says_so(settings):
    client = create_app(
        replace(settings, proxy_hops=1), store=MemoryStore()
    ).test_client()

    for path in ("/health", "/docs", "/nowhere", "/api/v1/me", "/hooks/unknown"):
        assert sts(client, path, **{"X-Forwarded-Proto": "https"}) == YEAR
        assert sts(client, path, **{"X-Forwarded-Proto": "http"}) is None


def test_a_header_that_no_proxy_wrote_changes_nothing(settings):
    client = create_app(settings, store=MemoryStore()).test_client()

    assert sts(client, **{"X-Forwarded-Proto": "https"}) is None


@pytest.mark.parametrize(
    ("env", "url", "told"),
    [
        ("production", "https://sluice.example.com", YEAR),
        ("production", "http://sluice.example.com", None),
        ("development", "https://sluice.example.com", None),
    ],
)
def test_so_are_they_in_production_under_a_public_url_of_https(
    settings, env, url, told
):
    changed = replace(settings, env=env, public_url=url)

    assert sts(create_app(changed, store=MemoryStore()).test_client()) == told
