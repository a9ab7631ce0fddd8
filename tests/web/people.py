"""Persons with passwords, in browsers and without."""

import json
from datetime import timedelta
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.domain import ids, times
from app.domain.account import Role, Tenant, User
from app.domain.audit import Source
from app.security.passwords import Passwords
from app.store.protocol import Store
from tests.store.company import api_key, invitation
from tests.web.conftest import Api

PASSWORD = "correct horse battery staple"
SOURCE = Source("127.0.0.1")


class PlainPasswords(Passwords):
    """Costs nothing, and counts what would have cost something."""

    def __init__(self) -> None:
        super().__init__()
        self.verified = self.hashed = 0

    def hash(self, password: str) -> str:
        self.hashed += 1
        return f"plain:{password}"

    def verify(self, stored: str | None, password: str) -> bool:
        self.verified += 1
        return stored in (f"plain:{password}", f"old:{password}")

    def is_outdated(self, stored: str) -> bool:
        return not stored.startswith("plain:")


def problem(answer: TestResponse) -> str:
    """The code of a refusal."""
    told: Any = answer.json
    return str(told["type"]).removeprefix("/problems/")


def cheap(app: Flask) -> PlainPasswords:
    """Let an app hash for nothing; before its first login."""
    services = app.extensions["services"]
    found = vars(services).setdefault("passwords", PlainPasswords())
    assert isinstance(found, PlainPasswords)
    return found


class Person:
    """A browser: keeps cookies, and sends the CSRF token where one is needed."""

    def __init__(self, app: Flask, email: str, password: str = PASSWORD) -> None:
        self.client: FlaskClient = app.test_client()
        self.email, self.password = email, password
        self.me: Any = None

    def log_in(self, **more: Any) -> TestResponse:
        """Log in, and remember what was told."""
        asked = {"email": self.email, "password": self.password, **more}
        answer = self.client.post("/api/v1/auth/login", json=asked)
        if answer.status_code == 200:
            self.me = answer.json
        return answer

    def ask(
        self, method: str, path: str, value: Any = None, **headers: str
    ) -> TestResponse:
        """Call `/api/v1`."""
        csrf = {} if self.me is None else {"X-CSRF-Token": self.me["csrf_token"]}
        named = {name.replace("_", "-"): each for name, each in headers.items()}
        return self.client.open(
            f"/api/v1{path}",
            method=method,
            headers=csrf | named,
            data=value if isinstance(value, bytes | None) else json.dumps(value),
        )

    def call(self, method: str, path: str, value: Any = None) -> Any:
        """Call, expect success, return the JSON; follow a session that changes."""
        answer = self.ask(method, path, value)
        assert answer.status_code < 300, answer.text
        told = answer.json if answer.data else None
        if answer.headers.get("Set-Cookie") and told:
            self.me = told
        return told

    @property
    def cookie(self) -> str:
        """What the browser keeps."""
        found = self.client.get_cookie("sluice")
        assert found is not None
        return found.value


def owner(app: Flask, store: Store, *, tenant: str = "Mill") -> Person:
    """The owner of a new tenant, not logged in yet; nobody has tried anything."""
    cheap(app)
    store.tries.sweep(times.now() + timedelta(days=2), limit=1000)
    at = times.now()
    team = Tenant(id=ids.new("tenant"), name=tenant, created_at=at)
    user = User(
        id=ids.new("user"),
        email=f"{ids.new('user')}@example.com",
        password_hash=f"plain:{PASSWORD}",
        created_at=at,
    )
    store.accounts.register(team, user, api_key(team.id, user.id), only_first=False)
    return Person(app, user.email)


def join(store: Store, person: Person, host: Api | Person, role: Role) -> None:
    """Let a person into a tenant without the ways of the API."""
    there = host.call("GET", "/me")
    user = store.accounts.by_email(person.email)
    assert user is not None
    invited = invitation(there["tenant"]["id"], there["user"]["id"], role=role)
    store.invitations.add(invited)
    store.invitations.accept(invited.token_hash, user, at=invited.created_at)
