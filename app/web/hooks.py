"""Other people's webhooks, as Flask gets them."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, g, request

from app.domain import times
from app.web import bodies, requests
from app.web.deliveries import Delivery
from app.web.operations import Operation
from app.web.schemas.executions import QueuedView, ReceivedView
from app.web.services import services

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
ROUTE: Mapping[str, Any] = {"methods": METHODS, "provide_automatic_options": False}

# What a workflow answers is not ours: as a page it has no origin, and so no session.
FOREIGN = f"{requests.NOTHING}; sandbox"

bp = Blueprint("hooks", __name__)


@bp.route("/hooks/<token>", **ROUTE)
@bp.route("/hooks/<token>/<rest:more>", **ROUTE)
@Operation(
    scope=None,
    raw_body=True,
    answers={200: ReceivedView, 202: QueuedView},
    problems=(401, 404, 405, 408, 413, 429, 502, 504),
    headers={202: ("Location",)},
    unaudited="strangers bring events, which executions and the ledger keep",
)
def receive(token: str, more: str | None = None) -> Response:
    """Take an event: it is recorded before the answer says so.

    A workflow with ``respond: on_finish`` answers itself, with any status.
    """
    if _is_preflight():
        return Response(status=204)
    answer = services().receiver.admit(_delivery(token, more)).answer()
    response = Response(answer.body, answer.status, answer.headers)
    response.headers["Content-Security-Policy"] = FOREIGN
    return response


def _is_preflight() -> bool:
    """Tell whether a browser only asks what it may send."""
    asks = "Access-Control-Request-Method" in request.headers
    return request.method == "OPTIONS" and asks


def _delivery(token: str, more: str | None) -> Delivery:
    return Delivery(
        token=token,
        method=request.method,
        path="" if more is None else f"/{more}",
        query=request.query_string.decode("latin-1"),
        headers=requests.headers_of(request.environ),
        body=bodies.read(request.environ, services().max_body),
        request_id=g.request_id,
        received_at=times.now(),
        client=requests.client(),
    )
