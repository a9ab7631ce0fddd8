import pytest
from pydantic import ValidationError

from app.connectors.catalog import CATALOG
from app.connectors.flow import Fail, Log
from app.connectors.http_request import HttpRequest
from app.connectors.registry import Registry


def test_the_catalog_has_every_connector_of_the_contract():
    assert sorted(Registry(*CATALOG)) == [
        "delay",
        "discord.message",
        "fail",
        "http.request",
        "log",
        "respond",
        "set",
        "slack.message",
        "stop",
    ]


def test_a_connector_is_found_by_its_name():
    registry = Registry(Fail, Log)

    assert registry.find("fail") is Fail
    assert registry.find("http.request") is None


def test_two_connectors_of_one_name_are_a_mistake():
    with pytest.raises(ValueError, match="share a name"):
        Registry(Fail, Fail)


def test_a_step_that_is_ready_cannot_be_changed():
    step = Fail.model_validate({"message": "no"})

    with pytest.raises(ValidationError):
        setattr(step, "message", "yes")  # noqa: B010  # mypy knows that one cannot


def test_what_is_wrong_with_settings_is_said_without_their_values():
    with pytest.raises(ValidationError) as wrong:
        HttpRequest.model_validate({"method": "BREW", "colour": "s3cret"})

    assert [each["loc"] for each in wrong.value.errors()] == [
        ("method",),
        ("url",),
        ("colour",),
    ]
    assert "s3cret" not in str(wrong.value)


@pytest.mark.parametrize("kind", CATALOG)
def test_every_connector_says_what_it_does_and_describes_its_settings(kind):
    assert kind.__doc__
    assert kind.model_json_schema()["additionalProperties"] is False
