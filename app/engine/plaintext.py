"""What any text of a definition must be, before its meaning is looked at."""

from collections.abc import Iterator
from typing import Any

from app.domain import jsons
from app.domain.errors import Fault
from app.domain.template import child

MAX_BYTES = 256 << 10  # of a definition, as JSON
MAX_DEPTH = 64


def faults(definition: Any) -> Iterator[Fault]:
    """Find what no store, log or other language could take, first of all."""
    if not isinstance(definition, dict):
        yield Fault("", "must be an object")
        return
    found = list(_faults(definition, "", 1))
    yield from found or _faults_of_size(definition)


def _faults_of_size(definition: Any) -> Iterator[Fault]:
    try:
        jsons.encode(definition, limit=MAX_BYTES)
    except jsons.TooLarge:
        yield Fault("", f"takes more than {MAX_BYTES} bytes as JSON")
    except ValueError as error:
        yield Fault("", f"is not JSON: {error}")


def _faults(value: Any, pointer: str, depth: int) -> Iterator[Fault]:
    if isinstance(value, str):
        yield from _faults_of_text(value, pointer)
    elif isinstance(value, dict | list) and depth > MAX_DEPTH:
        yield Fault(pointer, f"is nested more than {MAX_DEPTH} levels deep")
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _faults(each, child(pointer, index), depth + 1)
    elif isinstance(value, dict):
        for key, each in value.items():
            bad = list(_faults_of_text(str(key), pointer))
            yield from bad or _faults(each, child(pointer, key), depth + 1)


def _faults_of_text(text: str, pointer: str) -> Iterator[Fault]:
    if "\0" in text:
        yield Fault(pointer, "holds the character U+0000; leave it out")
    if not text.isascii() and any("\ud800" <= each <= "\udfff" for each in text):
        yield Fault(pointer, "holds half of a surrogate pair; leave it out")
