"""From pydantic's errors to faults and messages that hold nobody's data."""

import re
from collections.abc import Collection, Iterator
from itertools import islice
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from app.domain.errors import Fault
from app.domain.template import child
from app.engine import fields
from app.engine.reading import near

MOST = 100  # faults told at once
FEW = 10  # names that are listed
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


def of(
    error: ValidationError, root: Any, shape: type[BaseModel], base: str = ""
) -> Iterator[Fault]:
    """Turn errors into faults that point into `root`, which stands at `base`.

    Args:
        error: of the validation against `shape`; more than can be told is left out.
        root: what was validated.
        shape: tells which fields there are.
        base: a JSON pointer.
    """
    for each in islice(error.errors(include_url=False), MOST + 1):
        pointer, _ = _follow(each, root, base)
        yield Fault(pointer, message(each, shape))


def certain(
    error: ValidationError, root: Any, base: str, shape: type[BaseModel]
) -> Iterator[Fault]:
    """Do as `of` does without errors at values that expressions have yet to give."""
    found = error.errors(include_url=False)
    sure = (each for each in found if not _may_fit(each, root, base))
    for each in islice(sure, MOST + 1):
        pointer, _ = _follow(each, root, base)
        yield Fault(pointer, message(each, shape))


def message(error: ErrorDetails, shape: type[BaseModel] | None = None) -> str:
    """Say what is expected, and of what type the value is; never the value."""
    kind = error["type"]
    if kind == "extra_forbidden":
        return _unknown(str(error["loc"][-1]), fields.beside(shape, error["loc"]))
    if kind in _ABOUT_KEYS:
        return _ABOUT_KEYS[kind]
    if kind in _EXPECTED:
        found = _FOUND.get(type(error["input"]), "something else")
        return f"must be {_EXPECTED[kind]}, not {found}"
    text = _PREFIX.sub("", error["msg"]).replace(" after validation", "")
    return _SUBJECT.sub("must ", text)


def _unknown(name: str, known: Collection[str]) -> str:
    hint = near(name, known)
    if not hint and 0 < len(known) <= FEW:
        hint = f"; the fields are {', '.join(known)}"
    return f"{_ABOUT_KEYS['extra_forbidden']}{hint}"


def _may_fit(error: ErrorDetails, root: Any, base: str) -> bool:
    about_value = error["loc"] and error["type"] not in _ABOUT_KEYS
    return bool(about_value) and _holds_template(_follow(error, root, base)[1])


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
