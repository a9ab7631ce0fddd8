"""JSON answers: written by orjson, kept small, large values left out with a link."""

from dataclasses import dataclass
from typing import Any

import orjson
from flask import Response
from flask.json.provider import JSONProvider
from pydantic import BaseModel

from app.domain import jsons

MAX_BYTES = 200 * 1024  # of values in one answer; with the rest below 256 KiB
MAX_VALUE = 32 * 1024  # bytes of one value
LINK = 256  # bytes of what stands for a value that is left out, at most


class Json(JSONProvider):
    """Flask's JSON, by orjson; takes schemas and ready-made fragments as well."""

    def dumps(self, obj: Any, **_: Any) -> str:
        return encoded(obj).decode()

    def loads(self, s: str | bytes, **_: Any) -> Any:
        return jsons.parse(s.encode() if isinstance(s, str) else s)

    def response(self, *args: Any, **kwargs: Any) -> Response:
        body = encoded(self._prepare_response_obj(args, kwargs))
        return Response(body, content_type="application/json")


@dataclass(slots=True)
class Room:
    """How many bytes of values one answer still takes."""

    left: int = MAX_BYTES

    def take(self, size: int) -> bool:
        """Claim so many bytes if there is room for them."""
        if size > self.left:
            return False
        self.left -= size
        return True

    def holds(self, size: int) -> bool:
        """Claim room for a value, and say whether it is shown.

        What is no longer than the link is always shown, and takes no room.
        """
        return size <= LINK or (size <= MAX_VALUE and self.take(size))

    def show(self, value: bytes, url: str) -> Any:
        """Return ready-made JSON for an answer, or where to get it if it is large."""
        size = len(value)
        return orjson.Fragment(value) if self.holds(size) else link(size, url)


def link(size: int, url: str) -> dict[str, Any]:
    """Stand for a value of so many bytes that is left out."""
    return {"truncated": True, "size": size, "url": url}


def encoded(value: Any) -> bytes:
    """Write JSON; whoever hands over values of users does so as fragments."""
    return orjson.dumps(value, default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump()
    raise TypeError(f"{type(value).__name__} is not JSON")
