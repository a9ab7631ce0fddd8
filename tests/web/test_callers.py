"""Whose a request is, before anybody has looked into the store."""

import pytest

from app.web.callers import MEMORY, Callers
from tests.web import people

HOME = ("192.0.2.7", 50_000)
API = "/api/v1/workflows"
KEY = "Bearer sluice_one"


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def callers(clock):
    return Callers(clock)


def named(callers, *, path=API, client=HOME, hops=0, **fields):
    given = [(name.replace("_", "-"), value) for name, value in fields.items()]
    return callers.name(path, given, client, hops=hops)


def test_a_key_that_was_checked_counts_as_its_tenant_wherever_it_comes_from(callers):
    callers.learn({"HTTP_AUTHORIZATION": KEY}, "tenant_1")

    assert named(callers, AUTHORIZATION=KEY) == "tenant_1"
    assert named(callers, AUTHORIZATION=KEY, client=("10.0.0.1", 1)) == "tenant_1"


def test_all_keys_and_sessions_of_a_tenant_are_one_caller(callers):
    callers.learn({"HTTP_AUTHORIZATION": KEY}, "tenant_1")
    callers.learn({"HTTP_COOKIE": "sluice=abc"}, "tenant_1")

    assert named(callers, COOKIE="sluice=abc") == named(callers, AUTHORIZATION=KEY)


def test_whatever_was_not_checked_counts_as_its_client(callers):
    strange = {named(callers, AUTHORIZATION=f"Bearer {n}") for n in range(20)}

    assert strange == {named(callers)} == {"192.0.2.7/32"}
    assert named(callers, client=("192.0.2.8", 1)) != named(callers)


def test_a_cookie_does_not_make_up_for_a_key_that_is_not_known(callers):
    callers.learn({"HTTP_COOKIE": "sluice=abc"}, "tenant_1")

    assert named(callers, AUTHORIZATION="wrong", COOKIE="sluice=abc") == named(callers)


def test_a_proof_is_believed_for_a_minute_and_then_has_to_be_checked(callers, clock):
    callers.learn({"HTTP_AUTHORIZATION": KEY}, "tenant_1")

    clock.now += MEMORY - 1
    assert named(callers, AUTHORIZATION=KEY) == "tenant_1"
    clock.now += 2
    assert named(callers, AUTHORIZATION=KEY) == "192.0.2.7/32"


def test_so_many_are_remembered_and_the_oldest_forgotten(clock):
    callers = Callers(clock, size=2)
    for name in ("one", "two", "one", "three"):
        callers.learn({"HTTP_AUTHORIZATION": name}, f"tenant of {name}")

    assert named(callers, AUTHORIZATION="one") == "tenant of one"
    assert named(callers, AUTHORIZATION="two") == "192.0.2.7/32"


@pytest.mark.parametrize(
    ("hops", "said", "name"),
    [
        (0, "198.51.100.9", "192.0.2.7/32"),
        (1, "203.0.113.1, 198.51.100.9", "198.51.100.9/32"),
        (2, "203.0.113.1, 198.51.100.9", "203.0.113.1/32"),
        (2, "198.51.100.9", "192.0.2.7/32"),
        (1, "2001:db8:1:2:3::1", "2001:db8:1:2::/64"),
        (1, "no address", "unknown"),
        (1, "10.0.0.0/8", "unknown"),
    ],
)
def test_a_client_behind_proxies_is_who_they_say(callers, hops, said, name):
    assert named(callers, X_FORWARDED_FOR=said, hops=hops) == name


def test_who_comes_by_a_unix_socket_without_a_proxy_is_nobody_in_particular(callers):
    assert named(callers, client="") == "unknown"


@pytest.mark.parametrize(
    "path", ["/hooks/abc", "/hooks/abc/more", "/health/ready", "/metrics"]
)
def test_events_and_what_watches_the_server_take_no_turns(callers, path):
    assert named(callers, path=path) is None


def test_the_service_learns_of_keys_and_sessions_but_not_of_wrong_ones(app, store):
    person = people.owner(app, store)
    person.log_in()
    tenant_id = person.call("GET", "/me")["tenant"]["id"]
    made = person.call("POST", "/api-keys", {"name": "One", "scopes": ["read"]})
    right, wrong = f"Bearer {made['key']}", f"Bearer {made['key']}x"
    client = app.test_client(use_cookies=False)
    for each in (right, wrong):
        client.get("/api/v1/me", headers={"Authorization": each})

    name = app.extensions["caller"]

    assert name(API, [("AUTHORIZATION", right)], HOME) == tenant_id
    assert name(API, [("AUTHORIZATION", wrong)], HOME) == "192.0.2.7/32"
    assert name(API, [("COOKIE", f"sluice={person.cookie}")], HOME) == tenant_id


@pytest.mark.parametrize("more", [{}, {"wait": 20}])
def test_a_run_gives_its_turn_away_before_it_waits(api, more):
    workflow, given = api.workflow(), []

    answer = api.ask(
        "POST",
        f"/workflows/{workflow['id']}/run",
        {"input": 1, **more},
        environ_overrides={"sluice.leave": lambda: given.append("away")},
    )

    assert answer.status_code in (200, 202)
    assert given == ["away"]
