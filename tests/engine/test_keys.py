"""The key that an expression gives a delivery."""

import pytest

from app.domain import times
from app.domain.dedupe import LONGEST, key_of_value
from app.domain.errors import StepFailed
from app.domain.execution import Payload
from app.domain.expression import Expression
from app.engine.keys import key_of

JSON = "application/json"


def key(source, body=b'{"id": 7, "tags": ["a"]}', kind=JSON):
    payload = Payload(
        body=body,
        content_type=kind,
        headers={"x-delivery": "d1"},
        query={"n": ["1", "2"]},
        method="POST",
        path="/orders",
        received_at=times.now(),
    )
    return key_of(Expression(source), payload)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("trigger.body.id", 7),
        ('trigger.headers."x-delivery"', "d1"),
        ("[trigger.body.id, trigger.path]", [7, "/orders"]),
        ("trigger.query.n", ["1", "2"]),
        ("trigger.method", "POST"),
        ("trigger.body.id == `7`", True),
        ("trigger.body.tags[?@ == 'b']", []),
    ],
)
def test_a_key_is_made_of_the_expressions_value(source, value):
    assert key(source) == key_of_value(value)


@pytest.mark.parametrize("source", ["trigger.body.none", "trigger.headers.x", "`null`"])
def test_null_is_no_key(source):
    assert key(source) is None


@pytest.mark.parametrize(
    ("body", "kind"), [(b"{", JSON), (b"", None), (b"\xff", "image/png")]
)
def test_a_body_without_a_value_gives_no_key_where_it_is_read(body, kind):
    assert key("trigger.body.id", body, kind) is None
    assert key("[trigger.path, trigger.body.id]", body, kind) is None
    assert key("trigger.path", body, kind) == key_of_value("/orders")


def test_a_form_has_a_key_as_well():
    form = "application/x-www-form-urlencoded"

    assert key("trigger.body.id", b"id=7", form) == key_of_value("7")


@pytest.mark.parametrize(
    ("source", "body"),
    [
        ("length(trigger.body)", b"31415"),
        ("trigger.body", b'"%s"' % (b"31415" * LONGEST)),
    ],
    ids=["wrong type", "too large"],
)
def test_what_cannot_be_evaluated_says_so_without_a_value(source, body):
    with pytest.raises(StepFailed) as failed:
        key(source, body)

    assert failed.value.code == "expression"
    assert "31415" not in str(failed.value)
