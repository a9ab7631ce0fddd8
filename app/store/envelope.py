"""A payload without its body, as the bytes that every store keeps."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from app.domain import jsons
from app.domain.errors import Invalid
from app.domain.execution import Payload


def encoded(what: str, value: Mapping[str, Any]) -> bytes:
    """Write an object as JSON.

    Raises:
        Invalid: JSON has no such value; says what and why.
    """
    try:
        return jsons.encode(dict(value))
    except ValueError as error:
        raise Invalid(f"{what} cannot be stored: {error}") from error


def pack(payload: Payload) -> bytes:
    """Write what describes a body.

    Raises:
        Invalid: a text in it holds half of a surrogate pair.
    """
    described = {
        "content_type": payload.content_type,
        "headers": dict(payload.headers),
        "query": dict(payload.query),
        "method": payload.method,
        "path": payload.path,
    }
    return encoded("the request", described)


def unpack(described: bytes, *, body: bytes, received_at: datetime) -> Payload:
    """Undo `pack`."""
    return Payload(body=body, received_at=received_at, **jsons.parse(described))
