"""Lists: keyset pages, newest first, no larger than an answer may be."""

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from typing import TypeVar

import orjson
from flask import Response

from app.domain import ids
from app.domain.errors import Fault, Invalid
from app.web.answers import MAX_BYTES, encoded
from app.web.schemas.types import View

Item = TypeVar("Item")
NUMBER = re.compile(r"[1-9][0-9]{0,8}")
WRONG = Fault("/cursor", "is not a cursor of this list; use next_cursor as it came")


def page(
    found: Sequence[Item],
    limit: int,
    view: Callable[[Item], View],
    *,
    key: Callable[[Item], str],
) -> Response:
    """Answer with a page.

    Args:
        found: up to `limit` + 1 items, so that it is known whether more follow.
        limit: items on a page; fewer are shown when they grow too large together.
        view: makes what the client sees.
        key: what the next page begins after.
    """
    items: list[bytes] = []
    room = MAX_BYTES
    for each in found[:limit]:
        item = encoded(view(each))
        room -= len(item) + 1
        if items and room < 0:
            break
        items.append(item)
    more = len(found) > len(items)
    cursor = opaque(key(found[len(items) - 1])) if more else None
    document = b'{"items":[%b],"next_cursor":%b}'
    body = document % (b",".join(items), orjson.dumps(cursor))
    return Response(body, content_type="application/json")


def after_id(cursor: str | None, prefix: str) -> str | None:
    """Return the id that a cursor of a list of these ids stands for.

    Raises:
        Invalid: it is none of ours.
    """
    if cursor is None:
        return None
    text = _plain(cursor)
    if not ids.well_formed(text, prefix):
        raise Invalid("The query string does not fit.", [WRONG])
    return text


def after_number(cursor: str | None) -> int | None:
    """Return the number that a cursor of a numbered list stands for.

    Raises:
        Invalid: it is none of ours.
    """
    if cursor is None:
        return None
    text = _plain(cursor)
    if not NUMBER.fullmatch(text):
        raise Invalid("The query string does not fit.", [WRONG])
    return int(text)


def opaque(text: str) -> str:
    """Make a cursor."""
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _plain(cursor: str) -> str:
    padded = cursor + "=" * (-len(cursor) % 4)
    try:
        return base64.b64decode(padded, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        return ""
