"""P9: bad input is the sender's problem, over real sockets and without a proxy."""

import json
import socket
import uuid

import pytest

from tests.system.client import Api, post, send
from tests.system.serving import Server, step

pytestmark = pytest.mark.system

LIMIT = 1024 * 1024
NOWHERE = "http://127.0.0.1:9/"


@pytest.fixture(scope="module")
def hook(shared_api: Api) -> str:
    """The path of a hook whose workflow has nothing to do."""
    workflow = shared_api.workflow(
        f"Quiet {uuid.uuid4()}", {"id": "note", "uses": "set", "with": {"value": 1}}
    )
    token: str = workflow["webhook_url"].rpartition("/")[2]
    return f"/hooks/{token}"


@pytest.fixture(autouse=True)
def _no_traceback(shared: Server):
    """Whatever comes in, the server's log stays clean and the server stays up."""
    yield
    assert send("GET", f"{shared.url}/health/ready").status == 200
    assert "Traceback" not in shared.written()


def exchange(server: Server, data: bytes) -> tuple[int, str]:
    """Send raw bytes, end them, and read the status and the content type."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as one:
        one.sendall(data)
        one.shutdown(socket.SHUT_WR)
        head, _, _ = read_all(one).partition(b"\r\n\r\n")
    assert head, "closed without an answer"
    line, *fields = head.decode("latin-1").split("\r\n")
    types = [f.split(":", 1)[1] for f in fields if f.lower().startswith("content-type")]
    return int(line.split(" ")[1]), types[0].strip() if types else ""


def read_all(one: socket.socket) -> bytes:
    parts = []
    try:
        while part := one.recv(65536):
            parts.append(part)
    except ConnectionResetError:
        assert parts, "reset before an answer"
    return b"".join(parts)


def request(hook: str, *fields: str, body: bytes = b"", line: str = "") -> bytes:
    head = "\r\n".join((line or f"POST {hook} HTTP/1.1", "Host: localhost", *fields))
    return head.encode("latin-1") + b"\r\n\r\n" + body


def chunks(*sizes: int) -> bytes:
    return b"".join(b"%x\r\n" % n + b"a" * n + b"\r\n" for n in sizes) + b"0\r\n\r\n"


CHUNKED = "Transfer-Encoding: chunked"
FRAMING = {
    "letters as a chunk size": request("HOOK", CHUNKED, body=b"zz\r\nhi\r\n0\r\n\r\n"),
    "a negative chunk size": request("HOOK", CHUNKED, body=b"-2\r\nhi\r\n0\r\n\r\n"),
    "data longer than its chunk": request(
        "HOOK", CHUNKED, body=b"2\r\nhiho\r\n0\r\n\r\n"
    ),
    "two lengths": request(
        "HOOK", "Content-Length: 2", "Content-Length: 3", body=b"hi"
    ),
    "length and chunks": request("HOOK", "Content-Length: 2", CHUNKED, body=b"hi"),
    "a length that is no number": request("HOOK", "Content-Length: two", body=b"hi"),
    "a space before the colon": request("HOOK", "Content-Length : 2", body=b"hi"),
    "no request at all": b"hello, is this a server?\r\n\r\n",
}


@pytest.mark.parametrize("name", FRAMING)
def test_wrong_framing_is_400(shared: Server, hook: str, name: str):
    status, _ = exchange(shared, FRAMING[name].replace(b"HOOK", hook[1:].encode()))

    assert status == 400


@pytest.mark.parametrize(
    "data",
    [
        request("HOOK", "Content-Length: 1048577", body=b"a" * (LIMIT + 1)),
        request("HOOK", CHUNKED, body=chunks(LIMIT + 1)),
        request("HOOK", CHUNKED, body=chunks(*[4096] * 257)),
    ],
    ids=["by its length", "in one chunk", "in many chunks"],
)
def test_a_body_over_the_limit_is_413_and_never_cut_short(
    shared: Server, shared_api: Api, hook: str, data: bytes
):
    before = len(list(shared_api.executions()))

    status, kind = exchange(shared, data.replace(b"HOOK", hook[1:].encode()))

    assert (status, kind) == (413, "application/problem+json")
    assert len(list(shared_api.executions())) == before


@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_a_body_of_exactly_the_limit_is_taken_whole(
    shared: Server, shared_api: Api, hook: str, framing: str
):
    body = json.dumps({"pad": "a" * (LIMIT - 11)}).encode()
    assert len(body) == LIMIT
    data = {
        "length": request(hook, f"Content-Length: {LIMIT}", body=body),
        "chunks": request(hook, CHUNKED, body=b"%x\r\n%s\r\n0\r\n\r\n" % (LIMIT, body)),
    }[framing]

    status, _ = exchange(shared, data)

    assert status == 202
    newest = next(shared_api.executions())
    assert shared_api.finished(newest["id"])["status"] == "success"


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("POST", "/hooks/" + "x" * 22, 404),
        ("POST", "/hooks/", 404),
        ("POST", "/hooks/%00", 404),
        ("POST", "/hooks/%ff%fe", 404),
        ("GET", "/no/such/page", 404),
        ("GET", "/api/v1/executions/exec_00", 404),
        ("GET", "/api/v1/executions/" + "9" * 5000, (404, 414)),
        ("GET", "/api/v1/workflows/wf_" + "0" * 32, 404),
        ("POST", "/api/v1/executions/exec_" + "0" * 32 + "/cancel", 404),
        ("DELETE", "/api/v1/auth/register", 405),
        ("BREW", "/health", 405),
        ("GET", "/api/v1/executions?limit=0", 422),
        ("GET", "/api/v1/executions?limit=1e3", 422),
        ("GET", "/api/v1/executions?cursor=%00", 422),
        ("GET", "/api/v1/executions?status=asleep", 422),
    ],
)
def test_what_does_not_exist_is_a_problem_document(
    shared: Server, shared_api: Api, method: str, path: str, expected
):
    key = {"Authorization": f"Bearer {shared_api.key}"}
    answer = send(method, f"{shared.url}{path}", headers=key)

    allowed = expected if isinstance(expected, tuple) else (expected,)
    assert answer.status in allowed
    if answer.status != 414:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json["status"] == answer.status
        assert answer.json["request_id"] == answer.headers["x-request-id"]


def test_a_hook_refuses_a_method_that_its_workflow_does_not_take(
    shared: Server, hook: str
):
    answer = send("DELETE", f"{shared.url}{hook}")

    assert answer.status == 405


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[",
        b"null",
        b"[]",
        b'"text"',
        b"\xff\xfe",
        b"\xef\xbb\xbf{}",
        b'{"name": NaN}',
        b'{"name": 1e400}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"name": "\\ud800"}',
        b'{"name": "a\x00b"}',
    ],
    ids=lambda body: repr(body[:12]),
)
@pytest.mark.parametrize("path", ["/workflows", "/auth/register", "/api-keys"])
def test_an_api_body_that_is_no_object_or_does_not_fit_is_refused(
    shared: Server, shared_api: Api, path: str, body: bytes
):
    headers = {
        "Authorization": f"Bearer {shared_api.key}",
        "Content-Type": "application/json",
    }
    answer = send("POST", f"{shared.url}/api/v1{path}", body=body, headers=headers)

    assert answer.status in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "change",
    [
        {"name": 7},
        {"name": ""},
        {"surprise": 1},
        {"definition": []},
        {"definition": {"trigger": {"type": "webhook"}, "steps": "none"}},
        {"definition": {"trigger": {"type": "pigeon"}, "steps": []}},
    ],
    ids=json.dumps,
)
def test_a_workflow_with_wrong_types_or_unknown_fields_is_422(
    shared_api: Api, change: dict[str, object]
):
    fits = {
        "name": f"Fits {uuid.uuid4()}",
        "definition": {
            "trigger": {"type": "webhook"},
            "steps": [{"id": "note", "uses": "log", "with": {"message": "hi"}}],
        },
    }

    answer = shared_api.ask("POST", "/workflows", fits | change)

    assert answer.status == 422
    assert answer.json["errors"][0]["pointer"].startswith("/")


def test_all_faults_of_a_definition_are_told_at_once(shared_api: Api):
    steps = [
        {"id": "a", "uses": "no.such.step", "with": {}},
        {"id": "a", "uses": "set", "with": {"value": "{{ [ }}"}},
        {"id": "b", "uses": "http.request", "with": {"url": 3, "wrong": True}},
        {"id": "c", "uses": "set", "with": {"value": "{{ nowhere.x }}"}},
    ]
    definition = {"trigger": {"type": "webhook"}, "steps": steps}

    answer = shared_api.ask(
        "POST", "/workflows", {"name": "Wrong", "definition": definition}
    )

    assert answer.status == 422
    places = {each["pointer"].split("/steps/")[1][0] for each in answer.json["errors"]}
    assert places == {"0", "1", "2", "3"}


@pytest.mark.parametrize(
    "part",
    [
        {"trigger": {"type": "webhook", "verify": {"scheme": "github", "secret": "s"}}},
        {"trigger": {"type": "webhook", "dedupe": "trigger.body.id"}},
        {"trigger": {"type": "webhook", "respond": "on_finish"}},
        {"trigger": {"type": "webhook", "overload": "spill"}},
        {"limits": {"concurrency": 1}},
    ],
    ids=json.dumps,
)
def test_a_setting_that_is_not_built_yet_is_refused_and_not_ignored(
    shared_api: Api, part: dict[str, object]
):
    definition = {
        "trigger": {"type": "webhook"},
        "steps": [{"id": "note", "uses": "log", "with": {"message": "hi"}}],
        **part,
    }

    answer = shared_api.ask(
        "POST", "/workflows", {"name": f"Soon {uuid.uuid4()}", "definition": definition}
    )

    assert answer.status == 422
    assert any("not supported yet" in each["message"] for each in answer.json["errors"])


@pytest.mark.parametrize(
    "body",
    [
        b"not json",
        b"[" * 100_000,
        b'{"n": 1e400}',
        b'{"n": NaN}',
        b'"\\ud800"',
        b"\xef\xbb\xbf{}",
        b"\xff",
    ],
    ids=lambda body: repr(body[:12]),
)
def test_a_hook_keeps_a_body_that_it_cannot_parse_and_reading_it_fails_the_step(
    shared_api: Api, body: bytes
):
    reads = step("read", NOWHERE, "{{ trigger.body.n }}")
    workflow = shared_api.workflow(f"Reads {uuid.uuid4()}", reads)
    headers = {"Content-Type": "application/json"}
    answer = send("POST", workflow["webhook_url"], body=body, headers=headers)

    assert answer.status == 202
    execution = shared_api.finished(answer.json["execution_id"])
    assert execution["status"] == "failed"
    assert execution["error"]["code"] == "body-parse"
    assert execution["error"]["step"] == "read"


def test_a_step_that_nobody_answers_fails_with_its_code(shared_api: Api):
    workflow = shared_api.workflow("Nobody there", step("call", NOWHERE, 1))

    answer = post(workflow["webhook_url"], {})

    execution = shared_api.finished(answer.json["execution_id"])
    assert execution["error"]["code"] == "connect-failed"
