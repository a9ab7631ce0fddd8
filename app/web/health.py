"""Whether the service works, how much it has to do, and whether the books balance."""

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue

from app.domain import ids
from app.domain.account import Scope
from app.domain.errors import NotFound
from app.domain.ledger import Balance
from app.security import tokens
from app.web.auth import caller
from app.web.operations import Operation
from app.web.problems import Problem, Refused
from app.web.schemas.health import (
    HealthView,
    LedgerQuery,
    LedgerView,
    PoolView,
    StatsView,
)
from app.web.schemas.reading import query
from app.web.services import services

bp = Blueprint("health", __name__)


@bp.get("/health")
@bp.get("/health/live")
@Operation(scope=None, answers={200: HealthView})
def live() -> ResponseReturnValue:
    """Tell that the process answers."""
    return jsonify(HealthView())


@bp.get("/health/ready")
@Operation(scope=None, answers={200: HealthView})
def ready() -> ResponseReturnValue:
    """Tell whether events can be taken: not while draining or unable to store."""
    if services().dispatcher.draining:
        raise Refused(_draining())
    services().store.check()
    return jsonify(HealthView())


@bp.get("/metrics")
@Operation(scope=None, answers={200: "text/plain"}, problems=(404,))
def metrics() -> ResponseReturnValue:
    """Show the metrics, in production only to who knows their token."""
    _check_metrics_token()
    services().vitals.show()
    text, kind = services().metrics.render()
    return Response(text, content_type=kind)


@bp.get("/api/v1/ledger")
@Operation(scope=Scope.READ, query=LedgerQuery, answers={200: LedgerView})
def ledger() -> ResponseReturnValue:
    """Show what was received, and what became of it."""
    return jsonify(LedgerView.of(_balance(query(LedgerQuery))))


@bp.get("/api/v1/stats")
@Operation(scope=Scope.READ, answers={200: StatsView})
def stats() -> ResponseReturnValue:
    """Show the pool of this process."""
    return jsonify(StatsView(pool=PoolView.of(services().dispatcher.stats())))


def _balance(asked: LedgerQuery) -> Balance:
    if asked.workflow_id and not ids.well_formed(asked.workflow_id, "wf"):
        return Balance({}, {})
    return services().store.ledger.balance(
        caller().tenant_id,
        workflow_id=asked.workflow_id,
        since=asked.since,
        until=asked.until,
    )


def _check_metrics_token() -> None:
    expected = services().metrics_token
    if expected is None:
        if services().production:
            raise NotFound("Metrics are off: SLUICE_METRICS_TOKEN is not set.")
        return
    _, _, given = request.headers.get("Authorization", "").partition(" ")
    if not tokens.same(given, expected):
        raise NotFound("Metrics need their token: `Authorization: Bearer …`.")


def _draining() -> Problem:
    detail = "This process is stopping; ask another, or again in a moment."
    headers = {"Retry-After": "1"}
    return Problem(status=503, code="draining", detail=detail, headers=headers)
