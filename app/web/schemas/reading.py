"""From the client's bytes and query string to a schema, or a list of faults."""

from typing import Any, TypeVar, get_args

from flask import request
from pydantic import BaseModel, RootModel, ValidationError
from pydantic_core import ErrorDetails

from app.domain import jsons
from app.domain.body import packed
from app.domain.errors import Fault, Invalid
from app.engine import fields
from app.web import bodies, problems
from app.web.problems import Problem, Refused
from app.web.services import services

NO_YAML = "The API takes JSON; convert YAML first and send the result as `definition`"
TAG = "type"  # what chooses among shapes
_ABOUT_TAGS = frozenset({"union_tag_invalid", "union_tag_not_found"})
Schema = TypeVar("Schema", bound=BaseModel)


def body(schema: type[Schema]) -> Schema:
    """Return the request's body as `schema`.

    Raises:
        Refused: 400, it is not JSON or broke off; 413, it is too large.
        Invalid: it is no object, or does not fit the schema.
    """
    data = bodies.read(request.environ, services().max_body)
    if isinstance(data, Problem):
        raise Refused(data)
    try:
        value = jsons.parse(data)
    except ValueError as error:
        raise Refused(problems.not_json(_reason(data, error))) from error
    if not isinstance(value, dict):
        fault = Fault("", "must be a JSON object")
        raise Invalid("The body does not fit.", [fault])
    try:
        return schema.model_validate_json(data)
    except ValidationError as error:
        raise Invalid("The body does not fit.", _faults(error, schema)) from error


def part(value: Any, schema: type[Schema], *path: str) -> Schema:
    """Return the part of a body that stands at a path as `schema`.

    Raises:
        Invalid: it does not fit.
    """
    try:
        return schema.model_validate(value)
    except ValidationError as error:
        faults = _faults(error, schema, path)
        raise Invalid("The body does not fit.", faults) from error


def query(schema: type[Schema]) -> Schema:
    """Return the request's query string as `schema`.

    Raises:
        Invalid: a name is unknown or comes twice, or a value does not fit.
    """
    given = request.args.to_dict(flat=False)
    twice = [Fault(pointer(name), "comes twice") for name in given if given[name][1:]]
    if twice:
        raise Invalid("The query string does not fit.", twice)
    try:
        return schema.model_validate({name: each[0] for name, each in given.items()})
    except ValidationError as error:
        faults = _faults(error, schema)
        raise Invalid("The query string does not fit.", faults) from error


def pointer(*path: str | int) -> str:
    """Write a JSON pointer (RFC 6901)."""
    return "".join(f"/{_escaped(str(each))}" for each in path)


def _escaped(text: str) -> str:
    return text.replace("~", "~0").replace("/", "~1")


def _reason(data: bytes, error: ValueError) -> str:
    """Say why a body is not JSON, and what to do when it is plain what it is."""
    if not data.strip():
        return "the body is empty; expected a JSON object"
    coding = packed(request.headers.get("Content-Encoding"))
    is_yaml = "yaml" in request.mimetype or data.lstrip().startswith(b"name:")
    return f"{coding or error}{f'. {NO_YAML}' if is_yaml else ''}"


def _faults(
    error: ValidationError, schema: type[BaseModel], base: tuple[str, ...] = ()
) -> list[Fault]:
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return [_fault(each, schema, base) for each in found]


def _fault(
    error: ErrorDetails, schema: type[BaseModel], base: tuple[str, ...]
) -> Fault:
    kind, path = error["type"], error["loc"]
    if kind in _ABOUT_TAGS:
        return Fault(pointer(*base, TAG), _about_tag(kind, schema))
    if issubclass(schema, RootModel) and _members(schema):
        schema, path = _members(schema)[str(path[0])], path[1:]
    known = ", ".join(fields.beside(schema, path)) or "none"
    # pydantic says of a key of an object that it is one, and nobody else does
    shown = [each for each in path if each != "[key]"]
    return Fault(pointer(*base, *shown), _message(kind, error["msg"], known))


def _members(schema: type[BaseModel]) -> dict[str, type[BaseModel]]:
    """Return the shapes among which `type` chooses, by its value."""
    shapes = get_args(schema.model_fields["root"].annotation)
    return {
        get_args(each.model_fields[TAG].annotation)[0]: each
        for each in shapes
        if isinstance(each, type) and issubclass(each, BaseModel)
    }


def _about_tag(kind: str, schema: type[BaseModel]) -> str:
    if kind == "union_tag_not_found":
        return "is required"
    return f"is not a known type: {', '.join(_members(schema))}"


def _message(kind: str, message: str, known: str) -> str:
    if kind == "missing":
        return "is required"
    if kind == "extra_forbidden":
        return f"is unknown; the fields are: {known}"
    return message.removeprefix("Value error, ")
