"""The OpenAPI 3.1 document, made from the routes and what they promise."""

import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from flask import Flask
from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema
from werkzeug.routing import Rule

from app.web import problems
from app.web.cookies import HEADER, SAFE
from app.web.operations import Content, Operation, promised
from app.web.schemas.problems import ProblemView

ARGUMENT = re.compile(r"<(?:(\w+)[^:>]*:)?(\w+)>")
REF = "#/components/schemas/{model}"
IMPLICIT = frozenset({"HEAD", "OPTIONS"})  # every route answers them
AND_HEADER = {401: "WWW-Authenticate", 429: "Retry-After", 503: "Retry-After"}
# Wrong host or framing, too slow, too much body, path or header, our fault, no store.
ALWAYS = frozenset({400, 408, 413, 414, 431, 500, 503})
Wanted = tuple[type[BaseModel], JsonSchemaMode]
Schemas = Mapping[Wanted, dict[str, Any]]
HEADERS = {
    "Location": "Where to read what was made.",
    "Set-Cookie": "The session's cookie.",
    "Retry-After": "Seconds to wait before trying again.",
    "WWW-Authenticate": "How to authenticate.",
    "X-Request-Id": "The id of this request in the log.",
}


def document(app: Flask) -> dict[str, Any]:
    """Describe every route of an app.

    Raises:
        LookupError: a view does not say what it promises.
    """
    routes = list(_routes(app))
    models = sorted({each for _, _, it in routes for each in _models(it)}, key=str)
    found, definitions = models_json_schema(models, ref_template=REF)
    schemas = {each: found[each] for each in models}
    paths: dict[str, dict[str, Any]] = {}
    for rule, method, operation in routes:
        described = _operation(app, rule, method, operation, schemas)
        paths.setdefault(path_of(rule), {})[method.lower()] = described
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Sluice",
            "version": "1",
            "description": "Receives webhooks and runs workflows durably.",
        },
        "servers": [{"url": "/"}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": definitions.get("$defs", {}),
            "securitySchemes": _schemes(app),
        },
    }


def path_of(rule: Rule) -> str:
    """Write a rule's path as OpenAPI does."""
    return ARGUMENT.sub(r"{\2}", rule.rule)


def methods_of(rule: Rule) -> list[str]:
    """Return the methods that a rule names."""
    return sorted((rule.methods or set()) - IMPLICIT)


def _routes(app: Flask) -> Iterator[tuple[Rule, str, Operation]]:
    for rule in app.url_map.iter_rules():
        for method in methods_of(rule):
            yield rule, method, promised(app, rule.endpoint)


def _models(operation: Operation) -> Iterator[Wanted]:
    yield ProblemView, "serialization"
    if operation.body is not None:
        yield operation.body, "validation"
    if operation.query is not None:
        yield operation.query, "validation"
    for content in operation.answers.values():
        if isinstance(content, type):
            yield content, "serialization"


def _operation(
    app: Flask, rule: Rule, method: str, operation: Operation, schemas: Schemas
) -> dict[str, Any]:
    view = app.view_functions[rule.endpoint]
    described: dict[str, Any] = {
        "operationId": _slug(f"{method.lower()} {path_of(rule)}"),
        "tags": [rule.endpoint.partition(".")[0]],
        "summary": (view.__doc__ or "").strip().partition("\n")[0],
        "parameters": [*_path_parameters(rule), *_query_parameters(operation)],
        "responses": _responses(rule, operation, schemas),
    }
    if operation.scope is not None:
        described["security"] = _security(method, operation)
        described["description"] = _needs(operation)
    if operation.body is not None:
        described["requestBody"] = {
            "required": True,
            "content": _json(schemas[operation.body, "validation"]),
        }
    elif operation.raw_body:
        described["requestBody"] = {"content": {"*/*": {}}}
    return described


def _schemes(app: Flask) -> dict[str, Any]:
    cookies = app.extensions["services"].cookies
    return {
        "key": {"type": "http", "scheme": "bearer"},
        "session": {"type": "apiKey", "in": "cookie", "name": cookies.name},
        "csrf": {"type": "apiKey", "in": "header", "name": HEADER},
    }


def _needs(operation: Operation) -> str:
    needs = f"Needs scope `{operation.scope}`."
    if operation.own is not None:
        needs += f" A person who has logged in needs `{operation.own}` for their own."
    return needs


def _security(method: str, operation: Operation) -> list[dict[str, list[str]]]:
    """Say that a key will do, or a session, which must show that it asks itself."""
    session: dict[str, list[str]] = {"session": []}
    if method not in SAFE:
        session["csrf"] = []
    return [session] if operation.person else [{"key": []}, session]


def _path_parameters(rule: Rule) -> Iterator[dict[str, Any]]:
    for kind, name in ARGUMENT.findall(rule.rule):
        yield {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "integer" if kind == "int" else "string"},
        }


def _query_parameters(operation: Operation) -> Iterator[dict[str, Any]]:
    if operation.query is None:
        return
    schema = operation.query.model_json_schema(ref_template=REF)
    required = schema.get("required", ())
    for name, each in schema["properties"].items():
        yield {
            "name": name,
            "in": "query",
            "required": name in required,
            "schema": each,
        }


def _responses(
    rule: Rule, operation: Operation, schemas: Schemas
) -> dict[str, dict[str, Any]]:
    found = {
        status: {
            "description": HTTPStatus(status).phrase,
            "headers": _headers("X-Request-Id", *operation.headers.get(status, ())),
            **_content(content, schemas),
        }
        for status, content in operation.answers.items()
    }
    for status in _refusals(rule, operation):
        found[status] = _problem(status, schemas)
    return {str(status): found[status] for status in sorted(found)}


def _refusals(rule: Rule, operation: Operation) -> set[int]:
    found = ALWAYS | set(operation.problems)
    if operation.scope is not None:
        found |= {401, 403}
    if rule.arguments:
        found |= {404}
    if operation.body is not None:
        found |= {422}
    if operation.query is not None:
        found |= {422}
    return set(found)


def _problem(status: int, schemas: Schemas) -> dict[str, Any]:
    also = AND_HEADER.get(status)
    names = ["X-Request-Id", also] if also else ["X-Request-Id"]
    schema = schemas[ProblemView, "serialization"]
    return {
        "description": HTTPStatus(status).phrase,
        "headers": _headers(*names),
        "content": {problems.MEDIA_TYPE: {"schema": schema}},
    }


def _content(content: Content, schemas: Schemas) -> dict[str, Any]:
    if content is None:
        return {}
    if isinstance(content, str):
        return {"content": {content: {}}}
    return {"content": _json(schemas[content, "serialization"])}


def _json(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _headers(*names: str) -> dict[str, Any]:
    return {
        name: {"description": HEADERS[name], "schema": {"type": "string"}}
        for name in names
    }


def _slug(text: str) -> str:
    return "_".join(re.findall(r"\w+", text))
