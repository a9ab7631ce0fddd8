import pytest
from pydantic import ValidationError

from app.connectors.http_request import HttpRequest
from app.domain.errors import StepFailed
from tests.connectors.serving import answer, answering


@pytest.fixture
def ask(serve, call):
    """Run one `http.request`; return its output and what the server got."""

    def run(reply=None, **settings):
        server = serve(answering(reply or answer()))
        step = HttpRequest.model_validate({"url": server.url("/x")} | settings)
        return step.run(call), server.requests[0]

    return run


def test_the_output_holds_status_headers_and_body(ask):
    reply = answer(
        b'{"id": 12345678901234567890123}',
        status="201 Created",
        headers=["Content-Type: application/json", "X-Rate: 5"],
    )

    output, sent = ask(reply)

    assert sent.startswith(b"GET /x HTTP/1.1\r\n")
    assert output["status"] == 201
    assert output["headers"]["x-rate"] == "5"
    assert output["body"] == {"id": 12345678901234567890123}


@pytest.mark.parametrize(
    ("kind", "body", "value"),
    [
        ("application/json", b"[1, null]", [1, None]),
        ("application/problem+json; charset=utf-8", b'{"a": 1}', {"a": 1}),
        ("text/json", b"1", 1),
        ("application/json", b"{oops", "{oops"),
        ("application/json", b"", None),
        ("application/json", b"[" * 200 + b"]" * 200, "[" * 200 + "]" * 200),
        (None, b'{"a": 1}', {"a": 1}),
        (None, b"plain", "plain"),
        ("text/plain", b"1", "1"),
        ("text/html", "ü".encode(), "ü"),
        ("text/html; charset=iso-8859-1", b"\xfc", "ü"),
        ('text/html; charset="iso-8859-1"', b"\xfc", "ü"),
        ("text/html; charset=klingon", b"a", "a"),
        ("text/plain", b"a\xff", "a\ufffd"),
        ("application/xml", b"<a/>", "<a/>"),
        ("image/png", b"\x89PNG", "iVBORw=="),
        ("text/plain", b"", None),
    ],
)
def test_a_body_becomes_the_value_that_its_type_promises(ask, kind, body, value):
    headers = [] if kind is None else [f"Content-Type: {kind}"]

    assert ask(answer(body, headers=headers))[0]["body"] == value


@pytest.mark.parametrize(
    ("settings", "kind", "content"),
    [
        ({"json": {"a": [1, "ü"]}}, b"application/json", '{"a":[1,"ü"]}'.encode()),
        ({"json": None}, b"application/json", b"null"),
        (
            {"form": {"a": "b c", "n": 5, "l": ["x", True]}},
            b"application/x-www-form-urlencoded",
            b"a=b+c&n=5&l=x&l=true",
        ),
        ({"body": "ü"}, b"text/plain; charset=utf-8", "ü".encode()),
        ({"body": {"a": 1}}, b"text/plain; charset=utf-8", b'{"a":1}'),
    ],
)
def test_a_body_can_be_json_a_form_or_text(ask, settings, kind, content):
    head, _, body = ask(method="POST", **settings)[1].partition(b"\r\n\r\n")

    assert b"content-type: " + kind in head.split(b"\r\n")
    assert body == content


def test_numbers_and_truth_are_written_into_headers_and_query(ask):
    sent = ask(headers={"X-N": 5, "X-T": True}, query={"n": 1.5, "l": ["a", 2]})[1]

    assert sent.startswith(b"GET /x?n=1.5&l=a&l=2 HTTP/1.1\r\n")
    assert b"x-n: 5\r\n" in sent
    assert b"x-t: true\r\n" in sent


@pytest.mark.parametrize("method", ["POST", "put", "PATCH", "DELETE", "OPTIONS"])
def test_what_may_change_something_carries_the_steps_idempotency_key(ask, method):
    assert b"idempotency-key: exec_1:notify\r\n" in ask(method=method)[1]


@pytest.mark.parametrize("method", ["GET", "HEAD", "get"])
def test_what_only_reads_carries_no_idempotency_key(ask, method):
    assert b"idempotency-key" not in ask(method=method)[1].lower()


def test_the_authors_own_idempotency_key_wins(ask):
    sent = ask(method="POST", headers={"IDEMPOTENCY-KEY": "mine"})[1].lower()

    assert sent.count(b"idempotency-key") == 1
    assert b"idempotency-key: mine\r\n" in sent


@pytest.mark.parametrize(
    ("accepted", "status"),
    [(404, 404), ([200, 404], 404), ("4xx", 404), (["2xx", 503], 503), ("5xx", 500)],
)
def test_an_author_chooses_which_statuses_are_fine(ask, accepted, status):
    output, _ = ask(answer(status=f"{status} X"), accept_status=accepted)

    assert output["status"] == status


@pytest.mark.parametrize(
    ("accepted", "status"), [(None, 404), ([200], 201), ("2xx", 304), ("4xx", 200)]
)
def test_other_statuses_fail_the_step(ask, accepted, status):
    settings = {} if accepted is None else {"accept_status": accepted}

    with pytest.raises(StepFailed) as failed:
        ask(answer(status=f"{status} X"), **settings)

    assert failed.value.code == "http-status"


def test_a_failed_step_keeps_the_answer_out_of_its_message(ask):
    reply = answer(
        b'{"error": "s3cret"}',
        status="422 X",
        headers=["Content-Type: application/json", "X-Id: 7"],
    )

    with pytest.raises(StepFailed) as failed:
        ask(reply)

    output = failed.value.output
    assert (output["status"], output["headers"]["x-id"]) == (422, "7")
    assert output["body"] == {"error": "s3cret"}
    assert "s3cret" not in str(failed.value)


@pytest.mark.parametrize(
    ("settings", "where"),
    [
        ({}, "url"),
        ({"url": 5}, "url"),
        ({"url": "s3cret.example/path"}, "url"),
        ({"url": "https://user:s3cret@a.example/"}, "url"),
        ({"url": "https://a.example/\ud800"}, "url"),
        ({"url": "https://x", "json": 1, "body": "x"}, None),
        ({"url": "https://x", "json": None, "form": {}}, None),
        ({"url": "https://x", "method": "CONNECT"}, "method"),
        ({"url": "https://x", "headers": {"A": None}}, "headers"),
        ({"url": "https://x", "headers": ["s3cret"]}, "headers"),
        ({"url": "https://x", "headers": {"A": "s3cret\n"}}, "headers"),
        ({"url": "https://x", "headers": {"Content-Length": 5}}, "headers"),
        ({"url": "https://x", "query": {"a": [None]}}, "query"),
        ({"url": "https://x", "accept_status": 99}, "accept_status"),
        ({"url": "https://x", "accept_status": "s3cret"}, "accept_status"),
        ({"url": "https://x", "accept_status": None}, "accept_status"),
        ({"url": "https://x", "credential": {"token": "s3cret"}}, "credential"),
        ({"url": "https://x", "json_": 1}, "json_"),
    ],
)
def test_wrong_settings_are_refused_where_they_are_wrong(settings, where):
    with pytest.raises(ValidationError) as wrong:
        HttpRequest.model_validate(settings)

    assert {(*each["loc"], None)[0] for each in wrong.value.errors()} == {where}
    assert "s3cret" not in str(wrong.value)
