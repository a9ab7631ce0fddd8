"""The gate before signing in, and who stands at it."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.domain.limit import Rate
from app.factory import create_app
from app.store.memory import MemoryStore
from app.web.gate import Gate
from app.web.gatehouse import GUARDED, PAUSE
from tests.web import people

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
ORIGIN = {"Origin": "http://localhost:5173"}
LOGIN = "/api/v1/auth/login"
WRONG = {"email": "a@example.com", "password": "wrong horse battery"}


class Clock:
    now = NOON

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def gate(clock, *, places=100, anybody=10, client=5, **more):
    """A gate whose bursts are paid back in a second."""
    rates = (
        Rate(burst=anybody, every=SECOND / anybody),
        Rate(burst=client, every=SECOND / client),
    )
    return Gate(places=places, rates=rates, clock=clock, **more)


def codes(refusals):
    return [each.code if each else None for each in refusals]


def test_so_many_are_inside_at_once_and_the_next_comes_when_one_has_left(clock):
    one = gate(clock, places=2)

    tried = [one.enter(f"192.0.2.{n}") for n in range(3)]
    assert codes(tried) == [None, None, "too-many-sign-ins"]
    assert tried[2].status == 503
    one.leave()

    assert codes([one.enter("192.0.2.9"), one.enter("192.0.2.9")]) == [
        None,
        "too-many-sign-ins",
    ]


def test_looking_takes_nothing(clock):
    one = gate(clock, places=1)

    assert codes(one.look("192.0.2.1") for _ in range(50)) == [None] * 50
    one.enter("192.0.2.1")

    assert codes([one.look("192.0.2.2")]) == ["too-many-sign-ins"]


def test_one_client_leaves_others_half_of_what_comes_in(clock):
    one = gate(clock)

    hasty = [one.enter("192.0.2.1") for _ in range(100)]
    others = [one.enter(f"198.51.100.{n}") for n in range(100)]

    assert codes(hasty) == [None] * 5 + ["too-many-tries"] * 95
    assert hasty[-1].status == 429
    assert codes(others) == [None] * 5 + ["too-many-sign-ins"] * 95
    assert {each.headers["Retry-After"] for each in (hasty[-1], others[-1])} == {"1"}


def test_a_whole_network_of_version_6_is_one_client(clock):
    one = gate(clock)

    tried = [one.enter(f"2001:db8::{n}") for n in range(6)]

    assert codes(tried) == [None] * 5 + ["too-many-tries"]


def test_what_is_no_address_counts_as_one_client(clock):
    one = gate(clock)

    tried = [one.enter(f"nonsense {n}") for n in range(6)]

    assert codes(tried) == [None] * 5 + ["too-many-tries"]


def test_a_second_later_as_many_come_in_again(clock):
    one = gate(clock)
    for n in range(20):
        one.enter(f"192.0.2.{n}")

    clock.now += SECOND

    tried = [one.enter(f"192.0.2.{n}") for n in range(20)]
    assert codes(tried) == [None] * 10 + ["too-many-sign-ins"] * 10


def test_it_remembers_so_many_clients_and_always_everybody(clock):
    one = gate(clock, places=10_000, anybody=1000, size=3)
    for n in range(900):
        one.enter(f"192.0.{n // 250}.{n % 250}")

    assert len(one._tallies) == 3
    tried = [one.enter(f"198.51.100.{n}") for n in range(101)]
    assert codes(tried) == [None] * 100 + ["too-many-sign-ins"]


class Held:
    """What an event loop is told."""

    def __init__(self):
        self.replies = []

    def __call__(self, *answer, after=0.0):
        self.replies.append((answer, after))


@pytest.fixture
def app(settings):
    return create_app(settings, store=MemoryStore())


@pytest.fixture
def closed(app):
    """A service whose gate has no place left."""
    services = app.extensions["services"]
    vars(services)["gate"] = Gate(places=0)
    return app


def environ(path=LOGIN, **more):
    return {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": path,
        "REMOTE_ADDR": "192.0.2.1",
        "wsgi.url_scheme": "http",
        **more,
    }


@pytest.mark.parametrize("path", sorted(GUARDED))
def test_who_is_refused_reaches_neither_flask_nor_the_store(closed, monkeypatch, path):
    monkeypatch.setattr(closed.wsgi_app.front, "behind", unreachable)

    answer = closed.test_client().post(path, data=b"no json")

    assert answer.status_code == 503
    assert people.problem(answer) == "too-many-sign-ins"
    assert answer.headers["Retry-After"] == "1"
    assert answer.content_type == "application/problem+json"


def test_every_route_that_hashes_is_guarded(app):
    rules = {rule.rule for rule in app.url_map.iter_rules()}

    assert rules >= GUARDED


def test_a_refusal_has_the_headers_that_any_other_has(app):
    client = app.test_client()
    same = {**ORIGIN, "X-Request-Id": "the-same"}
    reference = client.post(LOGIN, data=b"no json", headers=same)
    vars(app.extensions["services"])["gate"] = Gate(places=0)

    refused = client.post(LOGIN, json=WRONG, headers=same)

    own = {"Retry-After", "Content-Length"}
    assert refused.json["request_id"] == "the-same"
    assert {k: v for k, v in refused.headers.items() if k not in own} == {
        k: v for k, v in reference.headers.items() if k not in own
    }


def test_a_page_that_may_not_read_answers_cannot_read_this_one(closed):
    strange = {"Origin": "https://evil.example"}

    answer = closed.test_client().post(LOGIN, json=WRONG, headers=strange)

    assert "Access-Control-Allow-Origin" not in answer.headers


def test_all_but_signing_in_goes_by_the_gate(closed):
    client = closed.test_client()

    assert client.get("/health/live").status_code == 200
    assert client.get(LOGIN).status_code == 405
    assert client.post("/hooks/" + "x" * 32).status_code == 404


def test_an_event_loop_refuses_by_itself_a_little_later(closed):
    held = Held()

    assert closed.extensions["taker"](environ(), held)

    [((status, fields, body), after)] = held.replies
    assert status == "503 SERVICE UNAVAILABLE"
    assert dict(fields)["Content-Type"] == "application/problem+json"
    assert json.loads(body)["type"] == "/problems/too-many-sign-ins"
    assert after == PAUSE


def test_what_may_come_in_needs_a_thread(app):
    held = Held()

    assert not app.extensions["taker"](environ(), held)
    assert held.replies == []


@pytest.mark.parametrize("hooks", ["on", "off"])
def test_the_loop_is_offered_sign_ins_and_webhooks_only_if_asked(settings, hooks):
    app = create_app(replace(settings, swift_hooks=hooks), store=MemoryStore())

    assert set(app.extensions["taken"]) - GUARDED == (
        {"/hooks/"} if hooks == "on" else set()
    )


def test_a_place_is_given_back_however_the_request_ends(settings, caplog):
    app = create_app(settings, store=MemoryStore())
    people.cheap(app)
    vars(app.extensions["services"])["gate"] = one = Gate(places=1)
    client = app.test_client()

    ends = [client.post(LOGIN, json=WRONG), client.post(LOGIN, data=b"no json")]

    assert [each.status_code for each in ends] == [401, 400]
    assert one.look("192.0.2.1") is None


def test_refusals_are_counted_one_by_one_and_logged_once_a_second(closed, caplog):
    client = closed.test_client()

    for _ in range(100):
        client.post(LOGIN, json=WRONG)
    closed.extensions["services"].summed.flush()

    lines = [each for each in caplog.records if each.msg == "Sign-in refused"]
    assert [(each.code, each.count) for each in lines] == [
        ("too-many-sign-ins", 1),
        ("too-many-sign-ins", 99),
    ]
    line = f'sluice_http_requests_total{{method="POST",route="{LOGIN}",status="503"}} '
    assert f"{line}100.0" in client.get("/metrics").text


def unreachable(environ, start_response):
    raise AssertionError("Flask was asked")
