"""The JSON Schema of definitions says what the compiler says."""

from typing import Any, ClassVar, Literal

import jsonschema_rs
import pytest
from pydantic import BaseModel

from app.connectors.catalog import CATALOG
from app.connectors.registry import Registry
from app.domain.errors import Invalid
from app.engine import language
from app.engine.plan import Compiler
from tests.engine.definitions import Keep

COMPILER = Compiler(Registry(*CATALOG))
SCHEMA = jsonschema_rs.Draft202012Validator(dict(COMPILER.language))
NOTE = {"id": "note", "uses": "log", "with": {"message": "Hello"}}
CALL = {"url": "https://example.com/{{ trigger.body.id }}"}


def of(*steps: Any, **rest: Any) -> dict[str, Any]:
    return {"trigger": {"type": "webhook"}, "steps": list(steps) or [NOTE], **rest}


def using(kind: str, **settings: Any) -> dict[str, Any]:
    return of({"id": "a", "uses": kind, "with": settings})


def calling(**settings: Any) -> dict[str, Any]:
    return using("http.request", **CALL, **settings)


def compiles(definition: Any) -> bool:
    try:
        COMPILER.compile(definition)
    except Invalid:
        return False
    return True


FITTING = [
    of(name="Orders", vars={"any": [1, None]}, limits={"timeout": 60}),
    of(trigger={"type": "manual", "on_disconnect": "continue"}),
    of(trigger={"type": "webhook", "methods": ["GET", "PUT"], "accept": "json"}),
    of({**NOTE, "if": "trigger.body.a", "timeout": 1, "on_unknown": "repeat"}),
    of({**NOTE, "retry": {"attempts": 20, "base": 0.1, "max": 1}}),
    of(on_failure=[{**NOTE, "id": "page"}]),
    of({"id": "a", "uses": "stop"}),
    calling(method="{{ trigger.method }}", headers="{{ trigger.body.headers }}"),
    calling(headers={"X-Number": 7, "X-Any": "{{ trigger.body }}"}),
    calling(query={"a": [1, True, "{{ vars.x }}"], "b": {"c": 1}}),
    calling(accept_status=404),
    calling(accept_status=["2xx", 404, "{{ vars.x }}"]),
    calling(json=None),
    calling(form={"a": "b"}),
    calling(body={"written": "as JSON"}),
    using("set", value=None),
    using("delay", seconds="{{ trigger.body.seconds }}"),
    using("stop", status="{{ vars.status }}", message=7),
    using("log", message="a", fields={"n": "{{ trigger.body.n }}"}),
    using("respond", status=201, headers={"X-A": "b"}, body={"a": [1]})
    | {"trigger": {"type": "webhook", "respond": "on_finish"}},
    using("slack.message", url="{{ vars.url }}", text="a"),
    using("discord.message", url="HTTPS://discord.com/api/webhooks/1/a", text=["a"]),
]
UNFIT = [
    {},
    of() | {"steps": []},
    of(colour="red"),
    of(name=""),
    of(vars=[]),
    of(trigger={"type": "schedule"}),
    of(trigger={"type": "manual", "methods": ["POST"]}),
    of(trigger={"type": "webhook", "methods": []}),
    of(trigger={"type": "webhook", "methods": ["get"]}),
    of(trigger={"type": "webhook", "overload": "spill"}),
    of(limits={"timeout": 0}),
    of(limits={"concurrency": 5}),
    of({**NOTE, "id": "Note"}),
    of({**NOTE, "uses": "workflow.run"}),
    of({**NOTE, "if": True}),
    of({**NOTE, "timeout": "10"}),
    of({**NOTE, "retry": {"attempts": 21}}),
    of({**NOTE, "retry": {"backoff": "linear"}}),
    of({**NOTE, "on_unknown": "ask"}),
    of({"id": "a", "uses": "log"}),
    calling(method="FETCH"),
    calling(headers={"X-A": None}),
    calling(headers=["X-A"]),
    calling(credential=["team"]),
    calling(accept_status="ok"),
    calling(accept_status=[99]),
    calling(form="a=b"),
    using("http.request", url="example.com"),
    using("http.request"),
    using("set"),
    using("delay", seconds="10"),
    using("delay", seconds=-1),
    using("stop", status="done"),
    using("log", message=None),
    using("log", message="a", fields="b"),
    using("respond", status=100),
]


@pytest.mark.parametrize("definition", FITTING, ids=str)
def test_what_compiles_fits_the_schema(definition):
    assert compiles(definition)
    SCHEMA.validate(definition)


@pytest.mark.parametrize("definition", UNFIT, ids=str)
def test_what_does_not_fit_the_schema_does_not_compile(definition):
    assert not SCHEMA.is_valid(definition)
    assert not compiles(definition)


def at(shape: str, field: str, word: str) -> dict[str, Any]:
    if shape == "TriggerShape":
        return of(trigger={"type": "webhook", field: word})
    more = {field: word}
    return of({**NOTE, **(more if shape == "StepShape" else {"retry": more})})


@pytest.mark.parametrize("shape", language.CHOICES)
def test_every_word_that_may_be_chosen_is_in_the_schema_and_no_other(shape):
    properties = COMPILER.language["$defs"][shape]["properties"]
    # the words that DESIGN names and this release does not know are refused by both
    candidates = {
        "webhook", "manual", "schedule", "any", "json", "immediately", "on_finish",
        "reject", "spill", "cancel", "continue", "exponential", "repeat", "stop", "ask",
        "check", "other",
    }  # fmt: skip

    for field, words in language.CHOICES[shape].items():
        taken = {word for word in candidates if compiles(at(shape, field, word))}
        assert taken == set(words) == set(properties[field]["enum"]), field


def test_every_field_that_takes_only_some_words_lists_them():
    for shape in ("TriggerShape", "RetryShape"):
        for field, about in COMPILER.language["$defs"][shape]["properties"].items():
            is_word = about.get("type") == "string" and "enum" not in about
            assert not is_word or compiles(at(shape, field, "any-word")), field


class Mark(BaseModel):
    """A setting inside of a setting."""

    colour: Literal["red", "blue"]


class Paint(Keep):
    """A step whose settings have settings."""

    name: ClassVar[str] = "paint"

    mark: Mark


def test_settings_inside_of_settings_are_described_and_may_be_filled_in():
    schema = jsonschema_rs.Draft202012Validator(language.schema(Registry(Paint)))

    for mark in ({"colour": "red"}, {"colour": "{{ vars.c }}"}, "{{ vars.mark }}"):
        assert schema.is_valid(using("paint", mark=mark))
    for mark in ({"colour": "green"}, {}, "red"):
        assert not schema.is_valid(using("paint", mark=mark))


def test_the_schema_is_a_valid_one_of_its_dialect_and_its_references_lead_somewhere():
    assert COMPILER.language["$schema"] == language.DIALECT
    jsonschema_rs.meta.validate(dict(COMPILER.language))
    assert set(Registry(*CATALOG)) <= COMPILER.language["$defs"].keys()
