"""Every route of the service, and how it is called as it should be."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from app.domain import ids
from app.domain.account import Role
from app.security import tokens
from app.store.protocol import Store
from app.web import openapi
from app.web.operations import Operation, promised
from tests.web import joining
from tests.web.conftest import definition, hook_of

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
WAITS = {"id": "hold", "uses": "delay", "with": {"seconds": 3600}}
Body = Mapping[str, Any]


@dataclass(frozen=True)
class Route:
    """One method of one path, and what it promises."""

    method: str
    rule: str
    arguments: tuple[str, ...]
    operation: Operation

    @property
    def name(self) -> str:
        return f"{self.method} {self.rule}"

    @property
    def is_for_persons(self) -> bool:
        return bool(getattr(self.operation, "person", False))

    @property
    def takes_keys(self) -> bool:
        return self.operation.scope is not None and not self.is_for_persons

    @property
    def is_unsafe(self) -> bool:
        return self.method not in SAFE


def every(app: Flask) -> list[Route]:
    """Every route of an app."""
    return [
        Route(
            method,
            openapi.path_of(rule),
            tuple(name for _, name in openapi.ARGUMENT.findall(rule.rule)),
            promised(app, rule.endpoint),
        )
        for rule in app.url_map.iter_rules()
        for method in openapi.methods_of(rule)
    ]


@dataclass
class Scene:
    """A tenant, and the things in it that routes are about."""

    api: Any  # of the service in this process, or of a real server
    store: Store | None = None  # of the service in this process
    mark: str = "Plain"  # in the name of everything that is made
    made: dict[Any, str] = field(default_factory=dict)  # what may be used again

    def name(self) -> str:
        return f"{self.mark} {uuid.uuid4()}"

    def workflow(self) -> str:
        return str(self.api.workflow(self.name())["id"])

    def execution(self) -> str:
        """One that is over, with a step and what came in."""
        held = self.api.workflow(self.name())
        return str(self.api.run(held, {"said": self.mark})["id"])

    def cancellable(self) -> str:
        """One that waits for an hour."""
        held = self.api.workflow(self.name(), WAITS)
        asked = {"input": {"said": self.mark}}
        begun = self.api.call("POST", f"/workflows/{held['id']}/run", asked)
        return str(begun["execution_id"])

    def key(self) -> str:
        asked = {"name": self.name(), "scopes": ["read"]}
        return str(self.api.call("POST", "/api-keys", asked)["id"])

    def member(self) -> str:
        assert self.store is not None
        return joining.join(self.api.client, self.store, self.api, Role.VIEWER)[0]

    def invitation(self) -> str:
        return str(self.api.call("POST", "/invitations", self.guest())["id"])

    def guest(self) -> Body:
        return {"email": f"{uuid.uuid4()}@example.com", "role": "viewer"}

    def credential(self) -> str:
        return str(self.api.call("POST", "/credentials", self.secret())["id"])

    def client(self) -> str:
        """A credential that a person authorizes."""
        data = {
            "grant": "authorization_code",
            "client_id": "sluice",
            "client_secret": f"the secret of {self.mark}",
            "token_url": "http://127.0.0.1:9/token",
            "authorize_url": "http://127.0.0.1:9/authorize",
        }
        asked = {"name": self.name(), "type": "oauth2", "data": data}
        return str(self.api.call("POST", "/credentials", asked)["id"])

    def token(self) -> str:
        return hook_of(self.api.workflow(self.name())).rpartition("/")[2]

    def secret(self) -> Body:
        data = {"value": f"the secret of {self.mark}"}
        return {"name": self.name(), "type": "secret", "data": data}

    def path(self, route: Route, *, fresh: bool) -> str:
        """The route's path with ids of this tenant; fresh ones may be used up."""
        path = route.rule
        for name in route.arguments:
            value = self.value(route.name, name, fresh=fresh)
            path = path.replace(f"{{{name}}}", value)
        return path

    def value(self, route: str, name: str, *, fresh: bool) -> str:
        """A value for a name in the path of a route."""
        make = self.make(name, route)
        if fresh:
            return make(self)
        if make not in self.made:
            self.made[make] = make(self)
        return self.made[make]

    def make(self, name: str, route: str) -> "Callable[[Scene], str]":
        """What makes a value for a name in the path of a route."""
        return MAKERS.get((route, name)) or MAKERS[name]

    def body(self, route: Route) -> Body | None:
        """What a client sends there."""
        return None if route.operation.body is None else BODIES[route.name](self)

    def ask(
        self, route: Route, whose: "Scene", *, fresh: bool, **more: Any
    ) -> TestResponse:
        """Call a route as this tenant with ids of another, or of its own."""
        path = whose.path(route, fresh=fresh)
        return call(self.api, route, path, self.body(route), **more)


def call(
    api: Any, route: Route, path: str, value: Body | None = None, **more: Any
) -> TestResponse:
    """Call a route, under `/api/v1` or not, with a key if there is one."""
    headers = dict(api.headers)
    if value is not None:
        more["json"] = value
    answer: TestResponse = api.client.open(
        path,
        method=route.method,
        headers={**headers, **more.pop("headers", {})},
        **more,
    )
    return answer


MAKERS: Mapping[Any, Callable[[Scene], str]] = {
    "workflow_id": Scene.workflow,
    "execution_id": Scene.execution,
    "key_id": Scene.key,
    "member_id": lambda scene: scene.member(),
    "invitation_id": Scene.invitation,
    "session_id": lambda _: ids.new("sess"),  # a key has none
    "credential_id": Scene.credential,
    "token": lambda scene: scene.token(),
    "number": lambda _: "1",
    "step": lambda _: "note",
    "more": lambda _: "more/path",
    "asset": lambda _: "swagger-ui.css",
    ("POST /api/v1/credentials/{credential_id}/authorize", "credential_id"): (
        Scene.client
    ),
    ("POST /api/v1/executions/{execution_id}/cancel", "execution_id"): (
        Scene.cancellable
    ),
}

WORKFLOW = "/api/v1/workflows/{workflow_id}"
BODIES: Mapping[str, Callable[[Scene], Body]] = {
    "POST /api/v1/auth/register": lambda scene: {
        "email": f"{uuid.uuid4()}@example.com",
        "password": "correct horse battery staple",
        "tenant": scene.name(),
    },
    "POST /api/v1/auth/login": lambda _: {
        "email": f"{uuid.uuid4()}@example.com",
        "password": "correct horse battery staple",
    },
    "POST /api/v1/auth/switch": lambda _: {"tenant_id": ids.new("tenant")},
    "POST /api/v1/auth/password": lambda _: {
        "password": "correct horse battery staple",
        "new_password": "another horse battery staple",
    },
    "POST /api/v1/auth/accept-invitation": lambda _: {
        "token": tokens.new(),
        "password": "correct horse battery staple",
    },
    "POST /api/v1/invitations": Scene.guest,
    "POST /api/v1/api-keys": lambda scene: {"name": scene.name(), "scopes": ["read"]},
    "PATCH /api/v1/members/{member_id}": lambda _: {"role": "editor"},
    "POST /api/v1/workflows": lambda scene: {
        "name": scene.name(),
        "definition": definition(),
    },
    f"PUT {WORKFLOW}": lambda scene: {"name": scene.name(), "definition": definition()},
    f"PATCH {WORKFLOW}": lambda scene: {"name": scene.name(), "is_active": False},
    f"POST {WORKFLOW}/rollback": lambda _: {"version": 1},
    f"POST {WORKFLOW}/run": lambda scene: {"input": scene.mark},
    "POST /api/v1/credentials": Scene.secret,
    "PUT /api/v1/credentials/{credential_id}": lambda scene: {
        "name": scene.name(),
        "data": {"value": f"the next secret of {scene.mark}"},
    },
}
