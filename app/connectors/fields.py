"""Kinds of settings that several connectors share."""

from typing import Annotated, Any

from pydantic import BeforeValidator

from app.domain import jsons


def as_text(value: Any) -> Any:
    """Write a value into text as templates do; null stays null, which no text is."""
    if value is None or isinstance(value, str):
        return value
    return jsons.encode(value).decode()


Text = Annotated[str, BeforeValidator(as_text, json_schema_input_type=Any)]
