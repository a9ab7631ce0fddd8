"""Which fields a shape has, wherever in it."""

from collections.abc import Iterator, Sequence
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo


def beside(shape: type[BaseModel] | None, path: Sequence[str | int]) -> list[str]:
    """Return the names of the fields among which the last part of a path stands.

    Args:
        shape: what the path begins at; None if that is not known.
        path: as pydantic gives it; indexes and names of alternatives lead nowhere.
    """
    shapes = [] if shape is None else [shape]
    for part in path[:-1]:
        found = [each for name, each in _fields(shapes) if name == part]
        if found:
            shapes = [inner for each in found for inner in _shapes(each.annotation)]
    return [name for name, _ in _fields(shapes)]


def _fields(shapes: Sequence[type[BaseModel]]) -> Iterator[tuple[str, FieldInfo]]:
    for each in shapes:
        for name, field in each.model_fields.items():
            yield field.alias or name, field


def _shapes(annotation: Any) -> Iterator[type[BaseModel]]:
    """Find what an annotation allows, inside of lists and unions too."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for each in get_args(annotation):
        yield from _shapes(each)
