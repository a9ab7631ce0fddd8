"""Read the audit log."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from app.domain.account import Scope
from app.web import pages
from app.web.auth import caller
from app.web.operations import Operation
from app.web.schemas.audit import AuditQuery, EntryPage, EntryView
from app.web.schemas.reading import query
from app.web.services import services

bp = Blueprint("audit", __name__, url_prefix="/api/v1")


@bp.get("/audit")
@Operation(scope=Scope.ADMIN, query=AuditQuery, answers={200: EntryPage})
def index() -> ResponseReturnValue:
    """List who changed what, when, from where and with which key, newest first."""
    asked = query(AuditQuery)
    before = pages.after_id(asked.cursor, "audit")
    found = services().store.audit.list(
        caller().tenant_id, asked.wanted(), limit=asked.limit + 1, before=before
    )
    return pages.page(found, asked.limit, EntryView.of, key=lambda each: each.id)
