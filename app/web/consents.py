"""Where a browser comes back to from an authorization server."""

import html
import logging

from flask import Blueprint, Response

from app.domain.audit import Action
from app.web import auth, requests
from app.web.consenting import BACK
from app.web.operations import Operation
from app.web.schemas.credentials import ConsentAnswer
from app.web.schemas.reading import query
from app.web.services import services

log = logging.getLogger(__name__)
bp = Blueprint("consents", __name__)
PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Sluice</title>
<p>The credential <b>{name}</b> is authorized. You may close this page.</p></html>
"""


@bp.get(BACK)
@Operation(
    scope=None,
    query=ConsentAnswer,
    answers={200: "text/html"},
    problems=(502,),
    audits=(Action.CREDENTIAL_AUTHORIZE,),
)
def callback() -> Response:
    """Take the code that a person brings from an authorization server."""
    brought = query(ConsentAnswer)
    session = auth.cookie_session()
    requests.leave()
    consent = services().consents.take(
        brought.state,
        brought.code,
        brought.error,
        requests.source(),
        session_id=None if session is None else session.id,
    )
    credential = services().store.credentials.get(
        consent.tenant_id, consent.credential_id
    )
    log.info(
        "Credential authorized",
        extra={
            "tenant_id": consent.tenant_id,
            "user_id": consent.user_id,
            "credential_id": consent.credential_id,
        },
    )
    return Response(
        PAGE.format(name=html.escape(credential.name)), mimetype="text/html"
    )
