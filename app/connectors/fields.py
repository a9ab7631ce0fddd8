"""Kinds of settings that several connectors share."""

from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    InstanceOf,
    WithJsonSchema,
)

from app.connectors.outgoing import parse_headers, parse_url
from app.domain import jsons
from app.domain.references import Named


def as_text(value: Any) -> Any:
    """Write a value into text as templates do; null stays null, which no text is."""
    if value is None or isinstance(value, str):
        return value
    return jsons.encode(value).decode()


def sendable(text: str) -> str:
    """Refuse half of a surrogate pair, which JSON can spell and nobody can send."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("must not hold half of a surrogate pair") from None
    return text


def callable_url(text: str) -> str:
    """Refuse a URL that the door would refuse, when the workflow is saved already."""
    parse_url(text)
    return text


def sendable_headers(headers: dict[str, str]) -> dict[str, str]:
    """Refuse headers that the door would refuse."""
    parse_headers(headers)
    return headers


Plain = Annotated[str, AfterValidator(sendable)]
Written = str | bool | float | list[Any] | dict[str, Any]  # all of JSON but null
Text = Annotated[Plain, BeforeValidator(as_text, json_schema_input_type=Written)]
Url = Annotated[
    Plain,
    AfterValidator(callable_url),
    Field(repr=False, json_schema_extra={"pattern": "^[Hh][Tt][Tt][Pp][Ss]?://"}),
]
# A text, or the name of a credential that holds it.
Sealable = Annotated[
    Annotated[
        Named,
        InstanceOf(),
        WithJsonSchema(
            {
                "type": "object",
                "properties": {"credential": {"type": "string"}},
                "required": ["credential"],
                "additionalProperties": False,
            }
        ),
    ]
    | Text,
    Field(union_mode="left_to_right"),
]
Headers = Annotated[dict[Plain, Text], AfterValidator(sendable_headers)]
SealableHeaders = Annotated[dict[Plain, Sealable], AfterValidator(sendable_headers)]
