"""Make, list, change and delete credentials; their data never comes back."""

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from app.domain import ids, times
from app.domain.account import Scope
from app.domain.audit import Action
from app.domain.credential import Credential
from app.domain.errors import Fault, Invalid
from app.web import deeds, pages
from app.web.auth import caller
from app.web.noting import acting, noting
from app.web.operations import Operation
from app.web.schemas.credential_data import DATA
from app.web.schemas.credentials import (
    ConsentView,
    CredentialPage,
    CredentialQuery,
    CredentialRequest,
    CredentialUpdate,
    CredentialView,
)
from app.web.schemas.reading import body, part, query
from app.web.services import services

bp = Blueprint("credentials", __name__, url_prefix="/api/v1/credentials")


@bp.get("")
@Operation(scope=Scope.READ, query=CredentialQuery, answers={200: CredentialPage})
def index() -> ResponseReturnValue:
    """List the credentials, newest first, without their data."""
    asked = query(CredentialQuery)
    found = services().store.credentials.list(
        caller().tenant_id,
        limit=asked.limit + 1,
        before=pages.after_id(asked.cursor, "cred"),
    )
    return pages.page(found, asked.limit, CredentialView.of, key=lambda each: each.id)


@bp.post("")
@Operation(
    scope=Scope.WRITE,
    body=CredentialRequest,
    answers={201: CredentialView},
    problems=(409,),
    audits=(Action.CREDENTIAL_CREATE,),
)
def create() -> ResponseReturnValue:
    """Seal a secret under a name, by which definitions can use it."""
    asked, at = body(CredentialRequest).root, times.now()
    tenant_id, credential_id = caller().tenant_id, ids.new("cred")
    made = Credential(
        tenant_id=tenant_id,
        id=credential_id,
        name=asked.name,
        type=asked.type,
        workflow_id=None,
        sealed=services().secrets.seal(tenant_id, credential_id, asked.data.plain()),
        created_at=at,
        updated_at=at,
    )
    told = noting(lambda _: [deeds.credential_made(made)])
    told.credentials.add(made)
    return jsonify(CredentialView.of(made)), 201


@bp.put("/<credential_id>")
@Operation(
    scope=Scope.WRITE,
    body=CredentialUpdate,
    answers={200: CredentialView},
    problems=(409,),
    audits=(Action.CREDENTIAL_REPLACE,),
)
def update(credential_id: str) -> ResponseReturnValue:
    """Seal other data; whatever uses the credential uses them from now on."""
    asked = body(CredentialUpdate)
    found = services().store.credentials.get(caller().tenant_id, credential_id)
    if asked.type not in (None, found.type):
        fault = Fault("/type", f"is {found.type} and stays so; make another credential")
        raise Invalid("The body does not fit.", [fault])
    data = part(asked.data, DATA[found.type], "data").plain()
    told = noting(lambda after: [deeds.credential_replaced(found, after)])
    changed = told.credentials.replace(
        found.tenant_id,
        found.id,
        name=asked.name or found.name,
        sealed=services().secrets.seal(found.tenant_id, found.id, data),
        at=times.now(),
    )
    services().doors.forget(found.tenant_id)
    return jsonify(CredentialView.of(changed))


@bp.post("/<credential_id>/authorize")
@Operation(
    scope=Scope.WRITE,
    answers={200: ConsentView},
    problems=(409,),
    audits=(Action.CREDENTIAL_ASK,),
)
def authorize(credential_id: str) -> ResponseReturnValue:
    """Return the URL where a person authorizes the credential, within 10 minutes."""
    who = caller()
    question = services().consents.ask(
        acting(),
        who.user_id,
        credential_id,
        session_id=None if who.session is None else who.session.id,
    )
    return jsonify(ConsentView(url=question.url, expires_at=question.expires_at))


@bp.delete("/<credential_id>")
@Operation(
    scope=Scope.WRITE,
    answers={204: None},
    problems=(409,),
    audits=(Action.CREDENTIAL_DELETE,),
)
def delete(credential_id: str) -> ResponseReturnValue:
    """Forget a credential that no workflow uses."""
    told = noting(lambda gone: [deeds.credential_deleted(gone)])
    told.credentials.delete(caller().tenant_id, credential_id)
    services().doors.forget(caller().tenant_id)
    return "", 204
