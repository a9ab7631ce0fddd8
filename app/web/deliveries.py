"""One request to a webhook, and what is kept of it. Knows no Flask."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qs

from app.domain import jsons
from app.domain.body import named, packed
from app.domain.execution import Payload
from app.web.problems import Problem

SECRET_HEADERS = frozenset(
    {
        "authorization",
        "cookie",
        "proxy-authorization",
        "x-gitlab-token",
        "x-telegram-bot-api-secret-token",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One request to a webhook, as it came in."""

    token: str
    method: str
    path: str  # what follows the token: "" or "/more/path"
    query: str  # without the question mark
    headers: Mapping[str, str]  # names in lower case
    body: bytes | Problem  # or why it could not be read
    request_id: str
    received_at: datetime
    client: int | None = None  # the socket it came by, if it is known


def payload(
    delivery: Delivery, body: bytes, *, without: frozenset[str] = frozenset()
) -> Payload:
    """Return what is stored of a delivery; secrets stay outside.

    Args:
        delivery: as it came in.
        body: of the delivery.
        without: headers, in lower case, that hold a secret of this workflow.
    """
    headers, hidden = delivery.headers, SECRET_HEADERS | without
    return Payload(
        body=body,
        content_type=headers.get("content-type"),
        headers={k: v for k, v in headers.items() if k not in hidden},
        query=_listed(delivery.query),
        method=delivery.method,
        path=delivery.path,
        received_at=delivery.received_at,
    )


def no_json(delivery: Delivery, body: bytes) -> str | None:
    """Say why expressions could not read a body as JSON, if they could not."""
    headers = delivery.headers
    kind = headers.get("content-type", "")
    kind = kind.partition(";")[0].strip().lower()
    if kind and kind != "application/json" and not kind.endswith("+json"):
        shown = named(kind, "another")
        return f"its Content-Type is {shown}, but this webhook takes only JSON"
    try:
        jsons.parse(body)
    except ValueError as error:
        return packed(headers.get("content-encoding")) or str(error)
    return None


def _listed(query: str) -> dict[str, str | list[str]]:
    """Read a query string; names that come several times get a list."""
    if not query:
        return {}
    found = parse_qs(query, keep_blank_values=True, errors="replace")
    return {name: each[0] if len(each) == 1 else each for name, each in found.items()}
