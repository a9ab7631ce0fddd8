"""The language of definitions as a JSON Schema, for editors and other programs."""

from collections.abc import Mapping
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import PydanticOmit, core_schema
from typing_extensions import override

from app.connectors.registry import Registry
from app.engine.definition import DefinitionShape, Later

DIALECT = "https://json-schema.org/draft/2020-12/schema"
ABOUT = (
    "What a workflow of Sluice does, and what starts it; docs/workflows.md explains."
)
TEMPLATE = {
    "type": "string",
    "pattern": r"\{\{",
    "description": "Holds an expression, {{ … }}, that gives the value.",
}
FILLED_IN: Mapping[str, Any] = {"$ref": "#/$defs/Template"}
# What the shapes check with functions, which a schema cannot look into.
CHOICES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "TriggerShape": {
        "type": ("webhook", "manual"),
        "accept": ("any", "json"),
        "respond": ("immediately", "on_finish"),
        "overload": ("reject",),
        "on_disconnect": ("cancel", "continue"),
    },
    "RetryShape": {"backoff": ("exponential",)},
    "StepShape": {"on_unknown": ("repeat",)},
}
OF_EVERY_TRIGGER = ("type", "on_disconnect")
_LATER = Later.__metadata__[0].func
_ABOUT_VALUES = frozenset({"default", "description"})
_NARROWING = frozenset({"enum", "const", "pattern"})
_TYPING = frozenset({"type", "enum", "const", "anyOf", "$ref"})

Schema = dict[str, Any]


def schema(registry: Registry) -> Schema:
    """Describe every definition that may be saved, as JSON Schema 2020-12.

    It refuses nothing that compiles, but method names in small letters. Ids, names
    in expressions and the limits of an instance are beyond it.
    """
    document = DefinitionShape.model_json_schema(schema_generator=_Generator)
    shapes: Schema = document.pop("$defs")
    for shape, choices in CHOICES.items():
        for field, words in choices.items():
            shapes[shape]["properties"][field]["enum"] = list(words)
    shapes["TriggerShape"] |= _only_webhooks_have_options()
    kinds = {name: _settings(registry, name) for name in registry}
    for settings in kinds.values():
        shapes |= settings.pop("$defs", {})
    step = shapes["StepShape"] | {
        "description": "One step; `uses` says what `with` is."
    }
    step["properties"]["uses"]["enum"] = list(kinds)
    step["allOf"] = [_with(name, settings) for name, settings in kinds.items()]
    return {
        "$schema": DIALECT,
        "title": "Workflow",
        **document,
        "description": ABOUT,
        "$defs": {
            **shapes,
            "StepShape": step,
            **kinds,
            "Template": TEMPLATE,
        },
    }


class _Generator(GenerateJsonSchema):
    """Leaves out what is not supported yet, and titles that only repeat names."""

    @override
    def function_before_schema(
        self, schema: core_schema.BeforeValidatorFunctionSchema
    ) -> JsonSchemaValue:
        if schema["function"]["function"] is _LATER:
            raise PydanticOmit
        return super().function_before_schema(schema)

    @override
    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        described = super().model_schema(schema)
        return {key: each for key, each in described.items() if key != "title"}

    @override
    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def _only_webhooks_have_options() -> Schema:
    return {
        "if": {"properties": {"type": {"const": "manual"}}},
        "then": {"propertyNames": {"enum": list(OF_EVERY_TRIGGER)}},
    }


def _with(name: str, settings: Schema) -> Schema:
    """Say what `with` is in a step of one kind."""
    then: Schema = {"properties": {"with": {"$ref": f"#/$defs/{name}"}}}
    if settings.get("required"):
        then["required"] = ["with"]
    return {"if": {"properties": {"uses": {"const": name}}}, "then": then}


def _settings(registry: Registry, name: str) -> Schema:
    kind = registry.find(name)
    assert kind is not None
    described = kind.model_json_schema(schema_generator=_Generator)
    inner = {key: _opened(each) for key, each in described.get("$defs", {}).items()}
    return _opened(described) | {"$defs": inner}


def _opened(schema: Schema) -> Schema:
    """Let expressions stand for the values inside of a value."""
    opened = dict(schema)
    if "properties" in opened:
        inside = opened["properties"]
        opened["properties"] = {key: _fillable(each) for key, each in inside.items()}
    for key in ("items", "additionalProperties"):
        if isinstance(opened.get(key), dict):
            opened[key] = _fillable(opened[key])
    if "anyOf" in opened:
        opened["anyOf"] = [_opened(each) for each in opened["anyOf"]]
    return opened


def _fillable(schema: Schema) -> Schema:
    """Let an expression stand for a value, or for any value inside of it."""
    opened = _opened(schema)
    about = {key: opened.pop(key) for key in _ABOUT_VALUES & opened.keys()}
    options = opened.get("anyOf", [opened])
    if not any(map(_takes_any_text, options)):
        opened = {"anyOf": [*options, FILLED_IN]}
    return {**opened, **about}


def _takes_any_text(option: Schema) -> bool:
    if _TYPING.isdisjoint(option):
        return True
    return option.get("type") == "string" and _NARROWING.isdisjoint(option)
