"""The answer that a workflow chooses."""

import pytest
from pydantic import ValidationError

from app.connectors.respond import Respond


def test_answers_with_status_headers_and_body(call):
    step = Respond.model_validate(
        {"status": 201, "headers": {"X-Order": 7}, "body": {"ok": True}}
    )

    assert step.run(call) == {
        "status": 201,
        "headers": {"X-Order": "7"},
        "body": {"ok": True},
    }


def test_answers_200_with_nothing_unless_told_otherwise(call):
    assert Respond().run(call) == {"status": 200, "headers": {}, "body": None}


@pytest.mark.parametrize(
    "settings",
    [
        {"status": 100},
        {"status": 600},
        {"status": "201"},
        {"headers": {"Set-Cookie": "a=b"}},
        {"headers": {"CONTENT-LENGTH": "5"}},
        {"headers": {"Content-Security-Policy": "default-src *"}},
        {"headers": {"X-A": "b\r\nX-C: d"}},
        {"headers": {"X A": "b"}},
        {"cookies": {}},
    ],
)
def test_refuses_what_is_not_a_workflows_to_say(settings):
    with pytest.raises(ValidationError):
        Respond.model_validate(settings)
