"""A real server keeps to its own OpenAPI document, whatever is sent to it."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, assume, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi import checks

from tests.system.client import PASSWORD, Answer, Api, send
from tests.system.serving import Server
from tests.system.waiting import eventually
from tests.web import routes
from tests.web.conftest import NOTE
from tests.web.routes import Scene

pytestmark = pytest.mark.system

EACH = 20  # requests of each kind to an operation
DEAR = 3  # to one that ends or costs something
EXAMPLES = settings(
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
ENDS = {"DELETE", "POST /api/v1/auth/logout", "POST /api/v1/auth/password"}
OUT_OF_REACH = {  # without another server, or a secret that is shown to nobody here
    "GET /oauth/callback",
    "POST /api/v1/credentials/{credential_id}/authorize",
}


def is_not_our_fault(_: Any, response: Any, __: Any) -> None:
    """A 503 or 504 is an answer that the document promises; a 500 never is."""
    assert response.status_code != 500, response.text


def misfits_are_refused(context: Any, response: Any, case: Any) -> None:
    """The check knows no path or header that is too long to be judged."""
    if response.status_code not in {414, 431}:
        checks.negative_data_rejection(context, response, case)


CHECKS = [
    is_not_our_fault,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    misfits_are_refused,
]


class Remote(Api):
    """The client that scenes are made with, on a real server."""

    client: Any = None

    def workflow(self, name: str, *steps: Mapping[str, Any], **trigger: str) -> Any:
        return super().workflow(name, *(steps or (NOTE,)), **trigger)

    def run(self, workflow: Mapping[str, Any], value: Any) -> Any:
        path = f"/workflows/{workflow['id']}/run"
        return self.call("POST", path, {"input": value, "wait": 20})


class RemoteScene(Scene):
    """Things of one tenant on a real server, and a person who has logged in."""

    email = "miller@example.com"
    login: Mapping[str, str] | None = None

    def member(self) -> str:
        invited = self.api.call("POST", "/invitations", self.guest())
        asked = {"token": invited["token"], "password": PASSWORD}
        joined = self._let_in("/auth/accept-invitation", asked)
        return str(joined.json["user"]["id"])

    def session(self) -> str:
        """The one of whoever is logged in."""
        found = send("GET", f"{self.api.url}/api/v1/sessions", headers=self.person())
        return next(str(each["id"]) for each in found.json["items"] if each["current"])

    def make(self, name: str, route: str) -> Callable[[Scene], str]:
        if name == "session_id":
            return lambda _: self.session()
        return super().make(name, route)

    def token(self) -> str:
        """Of a webhook that takes whatever comes."""
        asked = {
            "name": self.name(),
            "definition": {
                "trigger": {"type": "webhook", "methods": METHODS},
                "steps": [NOTE],
            },
        }
        made = self.api.call("POST", "/workflows", asked)
        return str(made["webhook_url"]).rpartition("/")[2]

    def headers(self, operation: Any) -> Mapping[str, str]:
        """What proves who is calling: a key, or a session where a person is wanted."""
        schemes = [name for each in _security(operation) for name in each]
        if not schemes or "key" in schemes:
            return {"Authorization": f"Bearer {self.api.key}"}
        return self.person()

    def person(self) -> Mapping[str, str]:
        if self.login is None:
            self.login = self._log_in()
        return self.login

    def _log_in(self) -> Mapping[str, str]:
        answer = self._let_in("/auth/login", self.credentials())
        cookie = answer.headers["set-cookie"].partition(";")[0]
        return {"Cookie": cookie, "X-CSRF-Token": answer.json["csrf_token"]}

    def _let_in(self, path: str, asked: Mapping[str, str]) -> Answer:
        """Sign in or up, as soon as the limits and the gate allow it."""

        def tried() -> Answer | None:
            answer = Api(self.api.url).ask("POST", path, asked)
            assert answer.status in (200, 201, 429, 503), answer.body
            return answer if answer.status < 300 else None

        answer = eventually(tried, within=90, what=f"{path} is let through")
        assert answer is not None
        return answer

    def credentials(self) -> Mapping[str, str]:
        return {"email": self.email, "password": PASSWORD}

    def token_of_invitation(self) -> str:
        return str(self.api.call("POST", "/invitations", self.guest())["token"])

    def tenant(self) -> str:
        return str(self.api.call("GET", "/me")["tenant"]["id"])


BODIES: Mapping[str, Callable[[RemoteScene], Any]] = {  # that need what is real here
    "POST /api/v1/auth/login": RemoteScene.credentials,
    "POST /api/v1/auth/switch": lambda scene: {"tenant_id": scene.tenant()},
    "POST /api/v1/auth/password": lambda _: {
        "password": PASSWORD,
        "new_password": PASSWORD,
    },
    "POST /api/v1/auth/accept-invitation": lambda scene: {
        "token": scene.token_of_invitation(),
        "password": PASSWORD,
    },
}


def _security(operation: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = operation.definition.raw.get("security", [])
    return found


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    one = Server(tmp_path_factory.mktemp("described"), SLUICE_SIGNUP="open")
    one.start(within=60)
    yield one
    one.close()


@pytest.fixture(scope="module")
def scene(server: Server) -> RemoteScene:
    api = Remote(server.url)
    api.register()
    return RemoteScene(api)


class Tried:
    """What was sent to each operation, and how it was answered."""

    def __init__(self, scene: RemoteScene) -> None:
        self._scene = scene
        self.statuses: dict[str, list[int]] = defaultdict(list)

    def send(self, case: Any) -> None:
        """Send one request, and hold the answer against the document."""
        name = f"{case.method} {case.path}"
        headers = dict(self._scene.headers(case.operation))
        response = case.call(headers=headers)
        self.statuses[name].append(response.status_code)
        case.validate_response(response, checks=CHECKS, headers=headers)
        if ("session" in name or "/auth/" in name) and response.status_code < 300:
            self._scene.login = None  # it may have ended

    def all_of(self, operation: Any) -> None:
        """Send a request that fits, and many that may or may not."""
        name = f"{operation.method.upper()} {operation.path}"
        self._be_let_in(operation, name)
        few = bool({name, operation.method.upper()} & ENDS)
        examples = settings(EXAMPLES, max_examples=DEAR if few else EACH)
        for mode in GenerationMode.POSITIVE, GenerationMode.NEGATIVE:
            if mode is GenerationMode.POSITIVE or _can_misfit(operation):
                strategy = operation.as_strategy(generation_mode=mode)
                examples(given(strategy)(self._with_real_ids))()
        if operation.path_parameters:
            strategy = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
            examples(given(strategy)(self.send))()

    def _be_let_in(self, operation: Any, name: str) -> None:
        """Send a request that fits, again as long as there are too many."""

        def was_let_in() -> bool:
            self.send(self._fitting(operation, name))
            is_too_much = self.statuses[name][-1] in (429, 503)
            if is_too_much:
                time.sleep(1)  # as Retry-After asks
            return not is_too_much

        eventually(was_let_in, within=90, what=f"{name} is let through")

    def _with_real_ids(self, case: Any) -> None:
        assume(not _misfits_in_proof(case))  # we bring our own
        case.path_parameters = self._ids(case.operation)
        self.send(case)

    def _fitting(self, operation: Any, name: str) -> Any:
        body = BODIES.get(name) or routes.BODIES.get(name)
        given_body = {} if body is None else {"body": body(self._scene)}
        return operation.Case(
            path_parameters=self._ids(operation),
            media_type="application/json" if given_body else None,
            **given_body,
        )

    def _ids(self, operation: Any) -> dict[str, str]:
        name = f"{operation.method.upper()} {operation.path}"
        fresh = name in ENDS or name.startswith("DELETE")
        return {
            each.name: self._scene.value(name, each.name, fresh=fresh)
            for each in operation.path_parameters
        }


def _misfits_in_proof(case: Any) -> bool:
    """Whether a request that must be refused differs only in who is calling."""
    return any(
        where.value in {"cookie", "header"} and part.mode is GenerationMode.NEGATIVE
        for where, part in case.meta.components.items()
    )


def _can_misfit(operation: Any) -> bool:
    """Tell whether there is anything that a request could get wrong."""
    kinds = [each.media_type for each in operation.body]
    return bool([*operation.query]) or "application/json" in kinds


def test_every_answer_of_every_operation_is_one_that_the_document_describes(
    server: Server, scene: RemoteScene, figure
):
    described: Any = schemathesis.openapi.from_url(f"{server.url}/openapi.json")
    operations = [each.ok() for each in described.get_all_operations()]
    tried = Tried(scene)

    for operation in operations:
        tried.all_of(operation)

    names = {f"{each.method.upper()} {each.path}" for each in operations}
    assert set(tried.statuses) == names
    reached = {
        name
        for name, statuses in tried.statuses.items()
        if any(200 <= each < 300 for each in statuses)
    }
    assert names - reached <= OUT_OF_REACH
    every = [each for statuses in tried.statuses.values() for each in statuses]
    assert send("GET", f"{server.url}/health/ready").status == 200
    assert "Traceback" not in server.written()
    counted = f"{len(operations)}, {len(names)}, {len(reached)}"
    figure("operations described, tried, answered with success", counted)
    figure("requests, server errors, undocumented answers", f"{len(every)}, 0, 0")
