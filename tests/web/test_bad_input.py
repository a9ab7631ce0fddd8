"""Whatever comes in, the answer is a problem of the sender's, never a fault of ours."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.web import openapi
from app.web.auth import PREFIXES
from app.web.operations import promised
from tests.web import people
from tests.web.conftest import hook_of

# Only webhooks come in by several ways; what else is asked for goes to Flask in each.
by_each_way = pytest.mark.usefixtures("way_in")


@pytest.fixture(scope="module")
def inside(app, store):
    """Somebody who has logged in."""
    person = people.owner(app, store)
    assert person.log_in().status_code == 200
    return person


BODIES = [
    b"",
    b" ",
    b"[",
    b"nul",
    b"{'a': 1}",
    b'{"a": 1,}',
    b'{"a": 1} x',
    b"{}{}",
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b"[" * 99 + b"]" * 99,
    b'{"name": NaN}',
    b'{"name": -Infinity}',
    b'{"name": 1e400}',
    b'{"name": ' + b"9" * 5000 + b"}",
    b'{"name": "\\ud800"}',
    b'{"\\udfff": 1}',
    b'{"name": "\\u0000"}',
    b'{"name": "a\x00b"}',
    b'\xef\xbb\xbf{"name": "x"}',
    '{"name": "x"}'.encode("utf-16"),
    '{"name": "x"}'.encode("utf-32"),
    b'{"name": "\xff"}',
    b'{"name": "\xed\xa0\x80"}',
    b"null",
    b"true",
    b"7",
    b'"text"',
    b"[]",
    b'[{"name": "x"}]',
]
KINDS = [
    None,
    "application/json",
    "text/plain",
    "multipart/form-data",
    "\x7f",
    "a" * 999,
]
HOSTILE = [
    "%00",
    "%ff%fe",
    "..%2f..%2fetc%2fpasswd",
    "' OR 1=1 --",
    "{{7*7}}",
    "%F0%9F%92%A9",
    "%0d%0aX-Evil: 1",
    "a" * 3000,
    "__proto__",
    "%ED%A0%80",
]


def is_refused(answer):
    """A 4xx problem document, complete."""
    return (
        400 <= answer.status_code < 500
        and answer.content_type == "application/problem+json"
        and answer.json["status"] == answer.status_code
        and answer.json["request_id"] == answer.headers["X-Request-Id"]
    )


def with_bodies(app, *, person):
    """Every route that reads JSON, for persons or not, with ids that exist nowhere."""
    for rule in app.url_map.iter_rules():
        promise = promised(app, rule.endpoint)
        if promise.body is not None and promise.person is person:
            path = openapi.path_of(rule)
            for name, prefix in PREFIXES.items():
                path = path.replace(f"{{{name}}}", f"{prefix}_{'0' * 32}")
            for method in openapi.methods_of(rule):
                yield method, path


@pytest.mark.parametrize("body", BODIES, ids=lambda each: repr(each[:20]))
def test_no_json_route_takes_or_trips_over_it(app, api, body):
    routes = list(with_bodies(app, person=False))
    assert len(routes) >= 7
    for method, path in routes:
        for kind in KINDS:
            answer = api.ask(method, path, data=body, content_type=kind)
            assert is_refused(answer), (method, path, answer.text)
            assert answer.status_code in (400, 422)


@pytest.mark.parametrize("body", BODIES, ids=lambda each: repr(each[:20]))
def test_no_json_route_for_persons_does_either(app, inside, body):
    routes = list(with_bodies(app, person=True))
    assert len(routes) >= 2
    for method, path in routes:
        answer = inside.ask(method, path.removeprefix("/api/v1"), body)
        assert is_refused(answer), (method, path, answer.text)
        assert answer.status_code in (400, 422)


def test_a_byte_order_mark_or_another_encoding_is_400_and_a_misfit_422(api):
    for body, status in (
        (b'\xef\xbb\xbf{"name": "x"}', 400),
        ('{"name": "x"}'.encode("utf-16"), 400),
        (b"[" * 100_000, 400),
        (b'{"name": NaN}', 400),
        (b"[]", 422),
        (b'{"name": 1}', 422),
    ):
        assert api.ask("POST", "/workflows", data=body).status_code == status


def test_thousands_of_unknown_fields_get_a_short_answer(api):
    body = json.dumps({f"f{n}": n for n in range(20_000)})

    answer = api.ask("POST", "/workflows", data=body)

    assert answer.status_code == 422
    assert len(answer.json["errors"]) == 50
    assert len(answer.data) < 16_000


def test_pointers_to_strange_names_are_escaped(api):
    answer = api.ask("POST", "/workflows", {"a/b~c": 1, "definition": {}, "name": "x"})

    assert answer.json["errors"][0]["pointer"] == "/a~1b~0c"


@pytest.mark.parametrize("text", HOSTILE, ids=lambda each: each[:20])
def test_hostile_paths_are_refused(app, api, text):
    for rule in app.url_map.iter_rules():
        path = openapi.path_of(rule)
        if "{" not in path or path.startswith("/hooks"):
            continue
        for name in rule.arguments:
            path = path.replace(f"{{{name}}}", text)
        for method in openapi.methods_of(rule):
            answer = api.client.open(
                path,
                method=method,
                data="{}",
                headers={"Authorization": f"Bearer {api.key}"},
            )
            assert is_refused(answer), (method, path, answer.status_code)


@pytest.mark.parametrize("text", HOSTILE, ids=lambda each: each[:20])
def test_hostile_query_strings_never_trip_a_list(app, api, text):
    for rule in app.url_map.iter_rules():
        schema = promised(app, rule.endpoint).query
        if schema is None or rule.arguments:
            continue
        for name in [*schema.model_fields, text]:
            answer = api.ask("GET", f"{rule.rule}?{name}={text}")
            assert answer.status_code == 200 or is_refused(answer)


@by_each_way
@pytest.mark.parametrize(
    "value",
    ["\xff\xfe", "ü" * 500, "a\x00b", "{{7*7}}", "x" * 8000],
    ids=["latin", "long", "nul", "braces", "huge"],
)
@pytest.mark.parametrize(
    "name",
    [
        "Authorization",
        "X-Request-Id",
        "Host",
        "Origin",
        "Content-Type",
        "X-Any",
        "Cookie",
    ],
)
def test_hostile_headers_never_trip_a_route(api, client, name, value):
    made = api.workflow(f"{name} {value!a}"[:100])
    header = name.upper().replace("-", "_")
    key = header if header == "CONTENT_TYPE" else f"HTTP_{header}"
    environ = {key: value}

    for path in ("/api/v1/me", "/health", "/metrics"):
        assert client.get(path, environ_overrides=environ).status_code < 500
    sent = client.post(hook_of(made), environ_overrides=environ, data=b"{}")
    assert sent.status_code == 202 or (name == "Host" and is_refused(sent))
    if sent.status_code == 202:
        path = f"/executions/{sent.json['execution_id']}"
        assert api.ask("GET", path).status_code == 200


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)
FIELDS = st.sampled_from(
    ["name", "definition", "is_active", "version", "input", "wait", "scopes", "email"]
)
NEAR = st.dictionaries(FIELDS, JSON).map(lambda value: json.dumps(value).encode())


@by_each_way
@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(body=st.binary(max_size=200) | NEAR)
def test_no_bytes_whatever_make_a_route_fail(app, api, hook, body):
    for method, path in with_bodies(app, person=False):
        answer = api.ask(method, path, data=body)
        assert answer.status_code < 500
        assert answer.status_code < 300 or is_refused(answer)
    assert api.client.post(hook, data=body).status_code == 202


@pytest.fixture
def hook(api):
    return hook_of(api.workflow())
