"""From pydantic's errors to faults and messages that hold nobody's data."""

import re
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from app.domain.errors import Fault
from app.domain.template import child

MOST = 100  # faults told at once
_ABOUT_KEYS = {"missing": "is required", "extra_forbidden": "is not a known field"}
_EXPECTED = {
    **dict.fromkeys(("dict_type", "model_type", "model_attributes_type"), "an object"),
    "list_type": "a list",
    "string_type": "a string",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
}
_FOUND = {
    dict: "an object",
    list: "a list",
    str: "a string",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    type(None): "null",
}
_PREFIX = re.compile(r"^(?:Value error, |Assertion failed, )")
_SUBJECT = re.compile(r"^(?:Input|String|List|Dictionary|Value) should ")


def of(error: ValidationError, root: Any, base: str = "") -> Iterator[Fault]:
    """Turn every error into a fault that points into `root`, which stands at `base`."""
    for each in error.errors(include_url=False):
        yield Fault(_follow(each, root, base)[0], message(each))


def certain(error: ValidationError, root: Any, base: str) -> Iterator[Fault]:
    """Leave out errors at values that expressions have yet to give."""
    for each in error.errors(include_url=False):
        pointer, value = _follow(each, root, base)
        about_value = each["loc"] and each["type"] not in _ABOUT_KEYS
        if not (about_value and _holds_template(value)):
            yield Fault(pointer, message(each))


def message(error: ErrorDetails) -> str:
    """Say what is expected, and of what type the value is; never the value."""
    kind = error["type"]
    if kind == "extra_forbidden" and error["loc"][-1] == "credential":
        return "is not supported yet"
    if kind in _ABOUT_KEYS:
        return _ABOUT_KEYS[kind]
    if kind in _EXPECTED:
        found = _FOUND.get(type(error["input"]), "something else")
        return f"must be {_EXPECTED[kind]}, not {found}"
    text = _PREFIX.sub("", error["msg"]).replace(" after validation", "")
    return _SUBJECT.sub("must ", text)


def _follow(error: ErrorDetails, root: Any, base: str) -> tuple[str, Any]:
    """Find the pointer and the value; pydantic's names of alternatives are no keys."""
    pointer, value = base, root
    for part in error["loc"]:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            if error["type"] == "missing" and part == error["loc"][-1]:
                pointer = child(pointer, part)
            break
        pointer = child(pointer, part)
    return pointer, value


def _holds_template(value: Any) -> bool:
    if isinstance(value, str):
        return "{{" in value
    if isinstance(value, dict):
        return any(map(_holds_template, value.values()))
    return isinstance(value, list) and any(map(_holds_template, value))
