"""The key is changed while the service works, and the old one is taken away."""

import hashlib
import hmac
import itertools
import json
import os
import secrets
import threading
import time
from base64 import b64encode
from collections import Counter

import pytest

from tests.services.postgres import Postgres
from tests.system.client import Api, send
from tests.system.fleet import installed
from tests.system.serving import Server
from tests.system.sink import Sink

pytestmark = pytest.mark.system

CREDENTIALS = 300
WORKFLOWS = 20
OLD, NEW = (b64encode(os.urandom(32)).decode() for _ in range(2))


def signed(hook: str, secret: str, value: object) -> int:
    """Post as GitHub does."""
    body = json.dumps(value).encode()
    mark = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/json",
        "X-Hub-Signature-256": f"sha256={mark}",
    }
    return send("POST", hook, body=body, headers=headers).status


class Town:
    """A tenant that uses what is sealed, all the time."""

    def __init__(self, api: Api, sink: Sink) -> None:
        self.api = api
        self.ids = [self._credential(number) for number in range(CREDENTIALS)]
        self.values = {number: f"t0ken-{number}-0" for number in range(CREDENTIALS)}
        self.hooks = [self._workflow(number, sink) for number in range(WORKFLOWS)]
        self.statuses: Counter[int] = Counter()
        self.replaced = 0
        self.over = threading.Event()

    def post(self, number: int) -> None:
        """Deliver to one hook after the other."""
        for hook in itertools.cycle(self.hooks[number:] + self.hooks[:number]):
            if self.over.is_set():
                return
            self.statuses[signed(hook, self.secret(hook), {"n": number})] += 1

    def replace(self) -> None:
        """Store other values, one credential after the other."""
        for number in itertools.cycle(reversed(range(CREDENTIALS))):
            if self.over.is_set():
                return
            self.replaced += 1
            value = f"t0ken-{number}-{self.replaced}"
            path = f"/credentials/{self.ids[number]}"
            self.api.call("PUT", path, {"data": {"token": value}})
            self.values[number] = value

    def secret(self, hook: str) -> str:
        return f"s3cret-of-{self.hooks.index(hook)}"

    def _credential(self, number: int) -> str:
        data = {"token": f"t0ken-{number}-0"}
        made = {"name": f"token {number}", "type": "bearer", "data": data}
        return str(self.api.call("POST", "/credentials", made)["id"])

    def _workflow(self, number: int, sink: Sink) -> str:
        verify = {"scheme": "github", "secret": f"s3cret-of-{number}"}
        settings = {"url": f"{sink.url}/{number}", "credential": f"token {number}"}
        definition = {
            "trigger": {"type": "webhook", "verify": verify},
            "steps": [{"id": "call", "uses": "http.request", "with": settings}],
        }
        made = {"name": f"Workflow {number}", "definition": definition}
        return str(self.api.call("POST", "/workflows", made)["webhook_url"])


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def stored(request: pytest.FixtureRequest) -> dict[str, str]:
    """The settings that say where all is stored."""
    if request.param == "SQLite":
        return {}
    postgres: Postgres = request.getfixturevalue("postgres")
    return {"DATABASE_URL": installed(postgres, f"keys_{secrets.token_hex(4)}")}


def test_the_key_is_changed_under_load_and_nothing_is_lost(
    start, stored: dict[str, str], sink: Sink, figure
):
    settings = {"SLUICE_ENCRYPTION_KEYS": OLD, "SLUICE_POOL_QUEUE": "5000"}
    server: Server = start(**settings, **stored)
    api = server.api()
    api.register()
    town = Town(api, sink)

    server.set(SLUICE_ENCRYPTION_KEYS=f"{NEW},{OLD}")
    early = server.command("rotate-keys")
    assert early.returncode == 1
    assert "does not know the first key" in early.stderr

    server.stop()
    server.start()
    threads = [
        threading.Thread(target=town.replace),
        *(threading.Thread(target=town.post, args=(5 * n,)) for n in range(4)),
    ]
    for each in threads:
        each.start()
    began = time.monotonic()
    done = server.command("rotate-keys")
    took = time.monotonic() - began
    town.over.set()
    for each in threads:
        each.join(30)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "The other keys can be removed" in done.stdout

    ended = Counter(each["status"] for each in api.all_finished(within=60))
    assert set(town.statuses) == {202}
    assert ended == {"success": town.statuses[202]}

    server.stop()
    server.set(SLUICE_ENCRYPTION_KEYS=NEW)
    server.start()
    before = len(sink.arrivals())
    for hook in town.hooks:
        assert signed(hook, town.secret(hook), {}) == 202
    api.all_finished(within=30)
    shown = {
        int(each.path[1:]): each.headers["authorization"]
        for each in sink.arrivals()[before:]
    }
    assert shown == {n: f"Bearer {town.values[n]}" for n in range(WORKFLOWS)}
    urls = [each["webhook_url"] for each in api.call("GET", "/workflows")["items"]]
    assert sorted(urls) == sorted(town.hooks)
    again = server.command("rotate-keys")
    sealed = CREDENTIALS + 2 * WORKFLOWS  # secrets of hooks, and tokens of their URLs
    assert f"All {sealed} rows that open are sealed under the first key" in again.stdout
    assert (again.returncode, "open under none" in again.stdout) == (0, False)
    told = server.written()
    failed = told.count("credential-unreadable") + told.count("Webhook secret unread")
    assert (failed, "Traceback" in told) == (0, False)
    figure("sealed rows", sealed)
    figure("rotation beside the load", f"{took:.1f} s")
    figure("events accepted meanwhile", town.statuses[202])
    figure("credentials replaced meanwhile", town.replaced)
    figure("events refused, executions failed, secrets that did not open", 0)
