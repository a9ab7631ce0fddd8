"""People and keys over two servers: what ends in one, ends in both."""

import time
from http.cookies import SimpleCookie
from typing import Any

import pytest

from tests.system.client import PASSWORD, Answer, Api, send
from tests.system.serving import Server
from tests.system.waiting import eventually

pytestmark = pytest.mark.system

OWNER = "miller@example.com"
GUEST = "guest@example.com"
GUESTS = "another-password-that-no-log-may-show-72"
AT_ONCE = 1.0  # seconds


class Browser:
    """Somebody who is logged in, and asks whichever server."""

    def __init__(self, login: Answer) -> None:
        cookie = SimpleCookie(login.headers["set-cookie"])
        [self._cookie] = [f"{name}={each.value}" for name, each in cookie.items()]
        self._csrf = login.json["csrf_token"]

    def ask(self, server: Server, method: str, path: str) -> Answer:
        headers = {"Cookie": self._cookie, "X-CSRF-Token": self._csrf}
        return send(method, f"{server.url}/api/v1{path}", headers=headers)


@pytest.fixture
def owner(doors) -> Api:
    api: Api = doors[0].api()
    api.register()
    return api


def log_in(server: Server, email: str, password: str) -> Answer:
    asked = {"email": email, "password": password}
    return server.api().ask("POST", "/auth/login", asked)


def join(owner: Api, server: Server, role: str) -> Any:
    """Invite a guest, who accepts elsewhere."""
    made = owner.call("POST", "/invitations", {"email": GUEST, "role": role})
    asked = {"token": made["token"], "password": GUESTS}
    return server.api().call("POST", "/auth/accept-invitation", asked)


def until(server: Server, key: str, status: int) -> float:
    """Wait until a server answers a key like this; return how long it took."""
    began = time.monotonic()
    api = Api(server.url, key)
    eventually(
        lambda: api.ask("GET", "/me").status == status, within=10, what=str(status)
    )
    return time.monotonic() - began


def test_a_key_that_is_ended_in_one_process_is_refused_in_the_other(
    doors, owner, figure
):
    slowest = 0.0
    for number in range(20):
        asked = {"name": f"Key {number}", "scopes": ["read"]}
        made = owner.call("POST", "/api-keys", asked)
        assert Api(doors[1].url, made["key"]).ask("GET", "/me").status == 200

        owner.call("DELETE", f"/api-keys/{made['id']}")

        slowest = max(slowest, until(doors[1], made["key"], 401))

    figure(
        "slowest refusal of an ended key in the other process, ms",
        f"{slowest * 1000:.0f}",
    )
    assert slowest < AT_ONCE


def test_an_invited_guest_logs_in_anywhere_and_is_out_everywhere(doors, owner):
    second = doors[1]
    member = f"/members/{join(owner, second, 'editor')['user']['id']}"
    guest = Browser(log_in(second, GUEST, GUESTS))
    told = [guest.ask(each, "GET", "/me").json for each in doors]
    assert told[0] == told[1]
    assert told[0]["scopes"] == ["write"]

    owner.call("PATCH", member, {"role": "viewer"})
    assert guest.ask(second, "GET", "/me").json["scopes"] == ["read"]
    owner.call("DELETE", member)

    assert [guest.ask(each, "GET", "/me").status for each in doors] == [401, 401]


def test_a_logout_in_one_process_is_one_in_the_other(doors, owner):
    first, second = doors
    person = Browser(log_in(first, OWNER, PASSWORD))
    assert person.ask(second, "GET", "/sessions").status == 200

    assert person.ask(second, "POST", "/auth/logout").status == 204

    assert person.ask(first, "GET", "/me").status == 401


def test_tries_are_counted_over_both(doors, owner):
    """Five are free at both together; nine would be, if each counted for itself."""
    answers = [log_in(doors[n % 2], OWNER, "a wrong password") for n in range(9)]

    assert [each.status for each in answers[:5]] == [401] * 5
    refused = [each for each in answers if each.status == 429]
    assert refused
    assert all(int(each.headers["retry-after"]) >= 1 for each in refused)


def command(server: Server, *arguments: str) -> str:
    """Run a command as an operator does, and return what it prints."""
    done = server.command(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_an_operator_lets_people_in_again_while_the_servers_run(doors, owner):
    first, second = doors
    person = Browser(log_in(first, OWNER, PASSWORD))

    password = command(first, "reset-password", OWNER)
    key = command(first, "make-key", OWNER)

    assert [person.ask(each, "GET", "/me").status for each in doors] == [401, 401]
    assert log_in(second, OWNER, PASSWORD).status == 401
    assert log_in(second, OWNER, password).status == 200
    assert Api(second.url, key).call("GET", "/me")["scopes"] == ["admin"]
    for server in doors:
        assert PASSWORD not in server.written()
        assert password not in server.written()
        assert key not in server.written()


def test_he_does_so_while_no_server_runs(start):
    server: Server = start()
    server.api().register()
    server.stop()

    key = command(server, "make-key", OWNER)

    server.start()
    assert Api(server.url, key).ask("GET", "/api-keys").status == 200
