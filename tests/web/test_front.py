"""Webhooks past Flask are answered as the blueprint would have answered them."""

import io
import re
from dataclasses import replace

import pytest

from app.factory import create_app
from app.store.memory import MemoryStore
from app.web import doors
from app.web.front import Front
from app.web.services import Services
from tests.web.conftest import hook_of
from tests.web.looping import Loop
from tests.web.signed import BODY, deliver, guarded, named

ORIGIN = {"Origin": "http://localhost:5173"}
SAME = {"X-Request-Id": "the-same"}
IDS = re.compile(rb"(exec|req)_[0-9a-f]{32}")
ECHO = {
    "id": "answer",
    "uses": "respond",
    "with": {
        "status": "{{ trigger.body.status }}",
        "headers": {"X-Own": "said", "Vary": "Accept"},
        "body": "{{ trigger.body.text }}",
    },
}


def told(answer):
    """What an answer says, but for ids."""
    headers = {
        (name.lower(), IDS.sub(b"id", value.encode()).decode())
        for name, value in answer.headers.items()
    }
    return answer.status, sorted(headers), IDS.sub(b"id", answer.data)


class Both:
    """One service, asked in both ways, ours being that of threads or of the loop."""

    def __init__(self, app, monkeypatch, *, is_loop):
        self._app, self._patch, self._is_loop = app, monkeypatch, is_loop
        self.flask = app.wsgi_app.front.behind
        self.stand(app.wsgi_app, app.extensions["services"])

    def stand(self, front, services):
        """Put something before Flask."""
        is_loop = self._is_loop
        self._front = Loop(front, front.take, services) if is_loop else front

    def ask(self, send):
        """Send the same twice, and return both answers."""
        return told(self._by(self._front, send)), told(self._by(self.flask, send))

    def _by(self, way, send):
        self._patch.setattr(self._app, "wsgi_app", way)
        return send(self._app.test_client())


@pytest.fixture(params=["a thread", "the loop"])
def both(request, app, monkeypatch):
    return Both(app, monkeypatch, is_loop=request.param == "the loop")


def chunked(client, path, body):
    environ = {"wsgi.input": io.BytesIO(body), "wsgi.input_terminated": True}
    return client.post(path, environ_overrides=environ, headers=SAME)


REQUESTS = {
    "an event": lambda c, hook: c.post(hook, json={"n": 1}, headers=SAME),
    "an id of ours": lambda c, hook: c.post(hook, json={"n": 1}),
    "an id that is none": lambda c, hook: c.post(hook, headers={"X-Request-Id": "a b"}),
    "more path": lambda c, hook: c.post(f"{hook}/a//b/%C3%A9%ff?x=1", headers=SAME),
    "a slash more": lambda c, hook: c.post(f"{hook}/", headers=SAME),
    "unknown": lambda c, _: c.post("/hooks/" + "x" * 32, headers=SAME),
    "no token": lambda c, _: c.post("/hooks/", headers=SAME),
    "no token and more": lambda c, _: c.post("/hooks//a", headers=SAME),
    "hooks alone": lambda c, _: c.post("/hooks", headers=SAME),
    "odd token": lambda c, _: c.post("/hooks/%2e%2e%20%ff", headers=SAME),
    "get": lambda c, hook: c.get(hook, headers=SAME),
    "head": lambda c, hook: c.head(hook, headers=SAME),
    "options": lambda c, hook: c.options(hook, headers=SAME),
    "brew": lambda c, hook: c.open(hook, method="BREW", headers=SAME),
    "a page's event": lambda c, hook: c.post(hook, headers={**SAME, **ORIGIN}),
    "a strange page's event": lambda c, hook: c.post(
        hook, headers={**SAME, "Origin": "https://evil.example"}
    ),
    "preflight": lambda c, hook: c.options(
        hook, headers={**SAME, **ORIGIN, "Access-Control-Request-Method": "POST"}
    ),
    "too large": lambda c, hook: c.post(
        hook, data=b"x" * ((1 << 20) + 1), headers=SAME
    ),
    "chunked": lambda c, hook: chunked(c, hook, b"{}"),
    "chunked and too large": lambda c, hook: chunked(c, hook, b"x" * (1 << 21)),
    "cut short": lambda c, hook: c.post(
        hook,
        environ_overrides={"wsgi.input": io.BytesIO(b"x"), "CONTENT_LENGTH": "9"},
        headers=SAME,
    ),
}


@pytest.mark.parametrize("send", REQUESTS.values(), ids=REQUESTS)
def test_both_ways_answer_alike(api, both, send):
    hook = hook_of(api.workflow())

    ours, reference = both.ask(lambda client: send(client, hook))

    assert ours == reference


@pytest.mark.parametrize("status", [200, 201, 204, 304, 404, 418, 503])
@pytest.mark.parametrize("text", [None, "said", {"a": 1}])
def test_what_a_workflow_answers_is_answered_alike(api, both, status, text):
    hook = hook_of(api.workflow("Echo", ECHO, respond="on_finish"))

    ours, reference = both.ask(
        lambda client: client.post(
            hook, json={"status": status, "text": text}, headers=SAME
        )
    )

    assert ours == reference


@pytest.mark.parametrize("wrong", [{}, {"body": b"{}"}], ids=["repeated", "refused"])
def test_what_is_repeated_or_not_signed_is_answered_alike(api, client, both, wrong):
    github = named("github")
    hook = guarded(api, github)
    signed = github.send(BODY)
    sent = replace(signed, headers={**signed.headers, "X-GitHub-Delivery": "1", **SAME})
    assert deliver(client, hook, sent).status_code == 202

    ours, reference = both.ask(
        lambda client: deliver(client, hook, replace(sent, **wrong))
    )

    assert ours == reference
    assert ours[0].startswith("401" if wrong else "200")


def test_a_fault_of_ours_is_told_alike_and_logged(app, both, caplog):
    services = app.extensions["services"]
    broken = replace(services, max_body=None)  # as no setting can make it
    both.stand(Front(both.flask, broken, trusted_hosts=()), broken)
    app.extensions["services"] = broken
    try:
        ours, reference = both.ask(lambda c: c.post("/hooks/" + "x" * 32, data=b"x"))
    finally:
        app.extensions["services"] = services

    assert ours == reference
    assert ours[0].startswith("500")
    assert isinstance(broken, Services)
    assert [each.getMessage() for each in caplog.records] == ["Request failed"] * 2
    caplog.clear()


def test_only_trusted_hosts_are_answered(settings):
    given = replace(settings, trusted_hosts=("sluice.example",))
    client = create_app(given, store=MemoryStore()).test_client()
    unknown = "/hooks/" + "x" * 32

    strange = client.post(unknown, headers={"Host": "evil.example"})
    known = client.post(unknown, headers={"Host": "sluice.example"})

    assert (strange.status_code, known.status_code) == (400, 404)
    assert strange.json is not None
    assert strange.json["type"] == "/problems/bad-request"


def test_the_front_takes_events_and_the_metrics_tell_their_route(
    api, app, client, monkeypatch
):
    hook = hook_of(api.workflow())
    line = (
        'sluice_http_requests_total{method="POST",route="/hooks/<token>",status="202"}'
    )

    def count() -> float:
        found = re.search(
            rf"^{re.escape(line)} (\S+)$", client.get("/metrics").text, re.MULTILINE
        )
        return float(found[1]) if found else 0.0

    before = count()
    monkeypatch.setattr(app.wsgi_app.front, "behind", unreachable)

    assert client.post(hook, json={}).status_code == 202

    monkeypatch.undo()
    assert count() - before == 1


def test_the_loop_takes_events_whose_door_is_known(api, app, client, monkeypatch):
    monkeypatch.setattr(doors, "TTL", 3600.0)  # on a machine that stands still, too
    hook = hook_of(api.workflow())
    waiting = hook_of(api.workflow("Echo", ECHO, respond="on_finish"))
    loop = Loop.of(app)
    monkeypatch.setattr(app, "wsgi_app", loop)

    assert client.post(hook, json={}).status_code == 202
    assert client.post("/hooks/" + "x" * 32).status_code == 404
    assert loop.taken == 2
    client.post(waiting, json={"status": 200, "text": "said"})

    assert loop.taken == 2


def unreachable(environ, start_response):
    raise AssertionError("Flask was asked")
