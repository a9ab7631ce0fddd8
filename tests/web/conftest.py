"""The whole service in this process: the real engine over a store in memory."""

import json
import logging
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.domain.audit import Source
from app.domain.limit import Rate
from app.factory import create_app
from app.security.passwords import Passwords
from app.settings import Settings
from app.store.memory import MemoryStore
from app.store.protocol import Store
from app.web.gate import Gate
from app.web.limits import Limits
from app.web.signup import Policy, Signup
from tests.web.looping import Loop

PASSWORD = "correct horse battery staple"
NOTE = {"id": "note", "uses": "set", "with": {"value": "{{ trigger.body }}"}}


def definition(*steps: Mapping[str, Any], **trigger: Any) -> dict[str, Any]:
    """A definition that fits; without steps it hands its body through."""
    return {
        "trigger": {"type": "webhook", **trigger},
        "steps": list(steps) or [NOTE],
    }


class Api:
    """A client with a key."""

    def __init__(self, client: FlaskClient, key: str) -> None:
        self.client, self.key = client, key

    @property
    def headers(self) -> Mapping[str, str]:
        """What proves who is calling."""
        return {"Authorization": f"Bearer {self.key}"} if self.key else {}

    def ask(
        self, method: str, path: str, value: Any = None, **more: Any
    ) -> TestResponse:
        """Call `/api/v1`."""
        headers = {"Authorization": f"Bearer {self.key}", **more.pop("headers", {})}
        if value is not None:
            more["data"] = json.dumps(value)
        url = path if path.startswith("/api/") else f"/api/v1{path}"
        return self.client.open(url, method=method, headers=headers, **more)

    def call(self, method: str, path: str, value: Any = None) -> Any:
        """Call, expect success, return the JSON."""
        answer = self.ask(method, path, value)
        assert answer.status_code < 300, answer.text
        return answer.json if answer.data else None

    def workflow(self, name: str = "Orders", *steps: Any, **trigger: Any) -> Any:
        """Make a workflow."""
        made = {"name": name, "definition": definition(*steps, **trigger)}
        return self.call("POST", "/workflows", made)

    def run(self, workflow: Mapping[str, Any], value: Any) -> Any:
        """Run a workflow to its end."""
        path = f"/workflows/{workflow['id']}/run"
        return self.call("POST", path, {"input": value, "wait": 20})

    def another_key(self, *scopes: str, **more: Any) -> "Api":
        """The same tenant with a lesser key."""
        asked = {"name": "Lesser", "scopes": list(scopes), **more}
        return Api(self.client, self.call("POST", "/api-keys", asked)["key"])


class FreePasswords(Passwords):
    """Costs nothing, so that only the tests of registration pay for argon2."""

    def hash(self, password: str) -> str:
        return f"the hash of {len(password)} characters"


def newcomer(client: FlaskClient, store: Store) -> Api:
    """A new tenant with its first key."""
    limits = Limits(MemoryStore().tries)
    signup = Signup(store, FreePasswords(), limits, Policy(only_first=False))
    email = f"{uuid.uuid4()}@example.com"
    made = signup.register(email, PASSWORD, "Mill", token=None, source=Source())
    return Api(client, made.key)


def hook_of(workflow: Mapping[str, Any]) -> str:
    """The path of a workflow's webhook."""
    path: str = workflow["webhook_url"].removeprefix("http://localhost:8000")
    return path


def ungated(app: Flask) -> Flask:
    """Let as many sign in at a time and in a second as tests do."""
    wide = Rate(burst=1_000_000, every=timedelta(seconds=1))
    vars(app.extensions["services"])["gate"] = Gate(places=1000, rates=(wide, wide))
    return app


@contextmanager
def serving(settings: Settings, store: Store) -> Iterator[Flask]:
    """The service, started and stopped as a worker process does it."""
    app = ungated(create_app(settings, store=store))
    logging.getLogger("flask_cors").setLevel("WARNING")  # two lines a request
    app.extensions["start"]()
    yield app
    app.extensions["drain"].begin_drain()
    app.extensions["drain"].abort()
    app.extensions["drain"].stop()


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(
        data_dir=tmp_path_factory.mktemp("data"), signup="open", log_level="WARNING"
    )


@pytest.fixture(scope="module")
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture(scope="module")
def app(settings: Settings, store: MemoryStore) -> Iterator[Flask]:
    """One service for a module; each test has tenants of its own."""
    with serving(settings, store) as app:
        yield app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture(params=["on the loop", "past Flask", "by Flask"])
def way_in(
    request: pytest.FixtureRequest, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Webhooks come in as they do, without the loop, and by the blueprint alone."""
    if request.param == "on the loop":
        monkeypatch.setattr(app, "wsgi_app", Loop.of(app))
    if request.param == "by Flask":
        monkeypatch.setattr(app, "wsgi_app", app.wsgi_app.front.behind)  # type: ignore[attr-defined]


@pytest.fixture
def api(client: FlaskClient, store: MemoryStore) -> Api:
    return newcomer(client, store)


@pytest.fixture
def stranger(client: FlaskClient, store: MemoryStore) -> Api:
    """Another tenant."""
    return newcomer(client, store)


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """No test may leave a trace of a fault of ours in the log."""
    yield
    errors = [each for each in caplog.get_records("call") if each.levelname == "ERROR"]
    assert errors == []
