"""Tenants are walls: every route, tried by everybody who should not pass.

What is expected follows from the promise of a route and from whose things it is asked
for, never from what the service answers. A route that nobody has thought of here fails.
"""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from werkzeug.test import TestResponse

from app.domain import times
from app.domain.account import Role
from app.domain.times import rfc3339
from app.store.memory import MemoryStore
from app.store.protocol import Store
from app.store.sql import SqlStore
from tests.web import joining, people, routes
from tests.web.conftest import Api, newcomer
from tests.web.joining import Browser
from tests.web.routes import Route, Scene

RANKS = ("read", "run", "write", "admin")  # of scopes
MAY = {"owner": "admin", "editor": "write", "operator": "run", "viewer": "read"}
PERSONS = {  # who have logged in, as what
    "owner in a browser": "owner",
    "editor in a browser": "editor",
    "operator in a browser": "operator",
    "viewer in a browser": "viewer",
}
ROLES = MAY | {who: MAY[role] for who, role in PERSONS.items()}  # what they may do
PERSONAL: Mapping[str, int] = {  # of persons who ask for what is not theirs
    "POST /api/v1/auth/switch": 404,  # nobody's tenant
    "POST /api/v1/auth/password": 401,  # not with this password
    "DELETE /api/v1/sessions/{session_id}": 404,  # nobody's session
}
FORGED = ("browser without token", "browser sent by another site")
STRANGERS = ("stranger", "stranger in a browser")  # who are somebody, elsewhere
NOBODIES = (
    "revoked key",
    "expired key",
    "removed member",
    "made-up key",
    "no key",
    "browser that logged out",
    "wrong key in a browser",
)
PUBLIC: Mapping[str, int] = {  # what everybody is told
    "POST /api/v1/auth/register": 201,
    "POST /api/v1/auth/login": 401,  # nobody has this address
    "POST /api/v1/auth/accept-invitation": 404,  # nor this token
    "POST /hooks/{token}": 202,
    "POST /hooks/{token}/{more}": 202,
    **{
        f"{method} /hooks/{{token}}{rest}": 405
        for method in ("GET", "PUT", "PATCH", "DELETE")
        for rest in ("", "/{more}")
    },
    "GET /oauth/callback": 422,  # without a state
    "GET /health": 200,
    "GET /health/live": 200,
    "GET /health/ready": 200,
    "GET /metrics": 200,
    "GET /openapi.json": 200,
    "GET /schemas/workflow.json": 200,
    "GET /docs": 200,
    "GET /docs/{asset}": 200,
}
CAREFUL = ("POST /api/v1/auth/login", "POST /api/v1/auth/accept-invitation")
SUCCESS = range(200, 300)


def tells(value: str) -> bool:
    """Whether a value is somebody's, and not a step's number or a file of the page."""
    return len(value) > 20


@dataclass
class Wall:
    """Two tenants with things of the same kinds, and everybody who might look over."""

    ours: Scene
    theirs: Scene
    ids: Mapping[str, Any]  # keys and browsers, by who shows them
    cells: int = 0
    leaks: list[str] = field(default_factory=list)

    def scene(self, who: str) -> Scene:
        """Whose names somebody uses: those who are nobody bring their own."""
        if who in ROLES or who in FORGED:
            return self.ours
        if who in STRANGERS:
            return self.theirs
        return Scene(self.ids[who], self.ours.store)

    def look(self, who: str, answer: TestResponse, *, at: str) -> None:
        """Count one try, and search the answer for what is not theirs to see."""
        self.cells += 1
        foreign = []
        if self.scene(who) is not self.ours:
            foreign += [self.ours.mark, *self.ours.made.values()]
        if self.scene(who) is not self.theirs:
            foreign += [self.theirs.mark, *self.theirs.made.values()]
        text = f"{answer.status}\n{answer.headers}\n{answer.text}"
        self.leaks += [
            f"{who}: {at}: {each}" for each in foreign if tells(each) and each in text
        ]


@pytest.fixture(
    scope="module",
    params=[
        "memory",
        pytest.param("sqlite", marks=pytest.mark.system),
        pytest.param("postgresql", marks=pytest.mark.services),
    ],
)
def store(request, tmp_path_factory) -> Store:
    """The twin for a quick look, and what is shipped: its queries are the walls."""
    if request.param == "memory":
        return MemoryStore()
    if request.param == "postgresql":
        return SqlStore(request.getfixturevalue("postgres").create("wall"))
    return SqlStore(f"sqlite:///{tmp_path_factory.mktemp('wall')}/store.db")


@pytest.fixture(scope="module")
def wall(app, store) -> Wall:
    client = app.test_client(use_cookies=False)
    ours = Scene(newcomer(client, store), store, f"Canary-{uuid.uuid4()}")
    theirs = Scene(newcomer(client, store), store, f"Canary-{uuid.uuid4()}")
    for each in (ours, theirs):
        for route in routes.every(app):
            each.path(route, fresh=False)
    everybody = {
        **dict(_keys(client, store, ours, theirs)),
        **dict(_browsers(app, store, ours, theirs)),
    }
    return Wall(ours, theirs, everybody)


def _browsers(app, store, ours, theirs) -> Iterator[tuple[str, Browser]]:
    people.cheap(app)
    client, me = app.test_client(use_cookies=False), ours.api.call("GET", "/me")
    owner = Browser(app, store, me["tenant"]["id"], me["user"]["id"])
    yield "owner in a browser", owner
    for role in (Role.EDITOR, Role.OPERATOR, Role.VIEWER):
        user_id, _ = joining.join(client, store, ours.api, role)
        yield f"{role.value} in a browser", replace(owner, user_id=user_id)
    they = theirs.api.call("GET", "/me")
    stranger = Browser(app, store, they["tenant"]["id"], they["user"]["id"])
    yield "stranger in a browser", stranger
    yield "browser without token", replace(owner, proves=False)
    elsewhere = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    yield "browser sent by another site", replace(owner, more=elsewhere)
    yield "browser that logged out", replace(owner, ended=True)
    wrong = {"Authorization": f"Bearer {ours.api.key[:-1]}"}
    yield "wrong key in a browser", replace(owner, more=wrong)


def _keys(client, store, ours, theirs) -> Iterator[tuple[str, Api]]:
    owner = ours.api
    yield "owner", owner
    for role in (Role.EDITOR, Role.OPERATOR, Role.VIEWER):
        yield role.value, joining.join(client, store, owner, role)[1]
    yield "stranger", theirs.api
    asked = {"name": "Revoked", "scopes": ["admin"]}
    revoked = owner.call("POST", "/api-keys", asked)
    owner.call("DELETE", f"/api-keys/{revoked['id']}")
    yield "revoked key", Api(client, revoked["key"])
    soon = rfc3339(times.now() + timedelta(milliseconds=5))
    yield "expired key", owner.another_key("admin", expires_at=soon)
    member_id, removed = joining.join(client, store, owner, Role.OWNER)
    owner.call("DELETE", f"/members/{member_id}")
    yield "removed member", removed
    yield "made-up key", Api(client, f"{owner.key[:-49]}{theirs.api.key[-49:]}")
    yield "no key", Api(client, "")


def expected(route: Route, who: str) -> range | int:
    """What an answer must be."""
    if route.operation.scope is None:
        is_forged = who == "browser sent by another site" and route.name in CAREFUL
        return 403 if is_forged else PUBLIC[route.name]
    if who in NOBODIES:
        return 401
    if who in FORGED and route.is_unsafe:
        return 403
    return _of_persons(route, who) if route.is_for_persons else _of_all(route, who)


def _of_persons(route: Route, who: str) -> range | int:
    is_person = who in PERSONS or who in FORGED or who == "stranger in a browser"
    return PERSONAL.get(route.name, SUCCESS) if is_person else 403


def _of_all(route: Route, who: str) -> range | int:
    scope = route.operation.scope
    if who in ROLES and RANKS.index(ROLES[who]) < RANKS.index(str(scope)):
        if route.operation.own is not None and who in PERSONS:
            return 404 if route.arguments else SUCCESS  # of their own, but this is ours
        return 403
    if who in STRANGERS and route.arguments:
        return 404
    return SUCCESS


def fits(answer: TestResponse, wanted: range | int) -> bool:
    if isinstance(wanted, int):
        return answer.status_code == wanted
    return answer.status_code in wanted


def test_every_route_tells_everybody_what_is_theirs_and_nothing_else(
    app, wall, record_property
):
    wrong = []
    for route in routes.every(app):
        for who, api in wall.ids.items():
            wanted = expected(route, who)
            path = wall.ours.path(route, fresh=who in ROLES and wanted == SUCCESS)
            answer = routes.call(api, route, path, wall.scene(who).body(route))
            if not fits(answer, wanted):
                wrong.append(f"{who}: {route.name}: {answer.status}, not {wanted}")
            wall.look(who, answer, at=route.name)

    record_property("routes, identities", f"{len(routes.every(app))}, {len(wall.ids)}")
    record_property("cells tried, leaked", f"{wall.cells}, {len(wall.leaks)}")
    assert wrong == []
    assert wall.leaks == []


def test_what_was_refused_has_changed_nothing(app, wall):
    """Everything that the refused were after is still there, as it was."""
    for route in routes.every(app):
        if route.method == "GET" and route.takes_keys and route.arguments:
            answer = wall.ours.ask(route, wall.ours, fresh=False)
            assert answer.status_code == 200, route.name


def test_no_route_that_changes_something_is_open_to_those_who_only_read(app):
    changing = [
        each
        for each in routes.every(app)
        if each.is_unsafe and not each.is_for_persons  # who change their own sessions
    ]

    assert [each.name for each in changing if each.operation.scope == "read"] == []


# What names nothing of anybody's.
PARAMETERS = {"limit", "status", "trigger", "since", "until", "action"}


def test_no_filter_search_or_cursor_reaches_over(app, wall, record_property):
    """A foreign value finds nothing, and a foreign cursor nothing foreign."""
    before, wall.cells = wall.cells, 0
    for route in routes.every(app):
        if route.operation.query is None or not route.takes_keys:
            continue
        path = wall.theirs.path(route, fresh=False)
        for name in set(route.operation.query.model_fields) - PARAMETERS:
            for value in _foreign(wall, route, name):
                query = {"query_string": {name: value}}
                answer = routes.call(wall.theirs.api, route, path, **query)
                assert answer.status_code == 200, (route.name, name, value)
                wall.look("stranger", answer, at=f"{route.name}?{name}=")
                found: Any = answer.json
                if name != "cursor" and "items" in found:
                    assert found["items"] == [], (route.name, name, value)
                elif name != "cursor":
                    assert _all_zero(found), (route.name, name, value)

    record_property("filters, searches and cursors tried", wall.cells)
    wall.cells += before
    assert wall.leaks == []


def _foreign(wall: Wall, route: Route, name: str) -> Iterator[str]:
    """Values of our tenant for a parameter of theirs."""
    if name == "cursor":
        path = wall.ours.path(route, fresh=False)
        first: Any = routes.call(
            wall.ours.api, route, path, query_string={"limit": 1}
        ).json
        if first["next_cursor"] is not None:
            yield first["next_cursor"]
        return
    me = wall.ours.api.call("GET", "/me")["user"]["id"]
    made = [*wall.ours.made.values(), me]
    values = {
        "workflow_id": [each for each in made if each.startswith("wf_")],
        "q": [*made, wall.ours.mark, wall.ours.mark[7:29], me[:22]],
        "actor": made,
        "target": made,
    }
    yield from filter(tells, values[name])


def _all_zero(value) -> bool:
    """Whether a sum is one of nothing."""
    if isinstance(value, dict):
        return all(_all_zero(each) for each in value.values())
    return value in (0, True, None)


def test_names_of_another_tenant_are_no_secret_to_be_found_out(wall):
    """Neither a collision nor an error tells whether a name is used elsewhere."""
    secret = wall.ours.secret()
    wall.ours.api.call("POST", "/credentials", secret)
    workflow = wall.ours.api.workflow(f"{wall.ours.mark} Orders")
    verify = {"scheme": "github", "secret": {"credential": secret["name"]}}
    asked = {
        "name": workflow["name"],
        "definition": {
            "trigger": {"type": "webhook", "verify": verify},
            "steps": [{"id": "a", "uses": "set", "with": {"value": 1}}],
        },
    }
    theirs = wall.theirs.api

    kept = theirs.call("POST", "/workflows", {**asked, "name": "One"})
    unknown = {"scheme": "github", "secret": {"credential": "nobody has this"}}
    asked["definition"]["trigger"]["verify"] = unknown
    same = theirs.call("POST", "/workflows", {**asked, "name": "Two"})

    assert kept["is_active"] is same["is_active"] is False
    told = [each["missing_credentials"] for each in (kept, same)]
    assert [len(each) for each in told] == [1, 1]
    assert told[0][0] | {"name": ""} == told[1][0] | {"name": ""}
    assert theirs.ask("POST", "/credentials", secret).status_code == 201
    assert theirs.workflow(workflow["name"])["name"] == workflow["name"]


def test_a_foreign_id_is_answered_like_one_that_never_was(app, wall):
    for route in routes.every(app):
        if not route.takes_keys or not route.arguments:
            continue
        body = wall.theirs.body(route)
        foreign = wall.ours.path(route, fresh=False)
        made_up = foreign
        for each in wall.ours.made.values():
            if tells(each):
                made_up = made_up.replace(each, f"{each[:-8]}00000000")
        answers = [
            routes.call(
                wall.theirs.api, route, path, body, headers={"X-Request-Id": "same"}
            )
            for path in (foreign, made_up)
        ]
        assert answers[0].status_code == answers[1].status_code == 404, route.name
        assert answers[0].data == answers[1].data, route.name
