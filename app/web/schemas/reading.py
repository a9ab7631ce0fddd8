"""From the client's bytes and query string to a schema, or a list of faults."""

from typing import TypeVar

from flask import request
from pydantic import BaseModel, ValidationError

from app.domain import jsons
from app.domain.body import packed
from app.domain.errors import Fault, Invalid
from app.web import bodies, problems
from app.web.problems import Problem, Refused
from app.web.services import services

NO_YAML = "The API takes JSON; convert YAML first and send the result as `definition`"
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


def _faults(error: ValidationError, schema: type[BaseModel]) -> list[Fault]:
    known = ", ".join(schema.model_fields) or "none"
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return [
        Fault(pointer(*each["loc"]), _message(each["type"], each["msg"], known))
        for each in found
    ]


def _message(kind: str, message: str, known: str) -> str:
    if kind == "missing":
        return "is required"
    if kind == "extra_forbidden":
        return f"is unknown; the fields are: {known}"
    return message.removeprefix("Value error, ")
