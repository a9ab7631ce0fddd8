"""The kinds of value that several schemas share."""

import re
import unicodedata
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    StringConstraints,
    WithJsonSchema,
)

from app.domain.times import rfc3339

RFC3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
CONTROL = frozenset({"Cc", "Zl", "Zp"})  # control characters, line separators
INSTANT = {"type": "string", "format": "date-time"}


class Request(BaseModel):
    """A body: types are strict, unknown fields are refused."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Query(BaseModel):
    """A query string: every value comes as text, unknown names are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class View(BaseModel):
    """Something that clients see."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _instant(value: Any) -> datetime:
    if isinstance(value, str) and RFC3339.fullmatch(value):
        try:
            return datetime.fromisoformat(value.upper()).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    raise ValueError("must be an instant of RFC 3339, such as 2026-01-08T12:34:56Z")


def _single_line(value: str) -> str:
    if any(unicodedata.category(each) in CONTROL for each in value):
        raise ValueError("must not hold control characters or line breaks")
    return value


def _digits(value: Any) -> Any:
    if isinstance(value, str) and not re.fullmatch(r"[0-9]{1,9}", value):
        raise ValueError("must be a whole number")
    return value


Instant = Annotated[datetime, PlainValidator(_instant), WithJsonSchema(INSTANT)]
Shown = Annotated[datetime, PlainSerializer(rfc3339), WithJsonSchema(INSTANT)]
Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
    AfterValidator(_single_line),
]
Word = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_single_line)]
Limit = Annotated[int, Field(ge=1, le=200), BeforeValidator(_digits)]
