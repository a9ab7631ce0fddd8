"""Make, list, change and delete credentials; their data never comes back."""

from collections.abc import Mapping
from dataclasses import replace

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue
from pydantic import SecretStr

from app.connectors.outgoing import parse_url
from app.domain import ids, times
from app.domain.account import Scope
from app.domain.audit import Action
from app.domain.credential import FIELDS, Credential
from app.domain.errors import Fault, Invalid
from app.web import deeds, pages
from app.web.auth import caller
from app.web.noting import noting
from app.web.operations import Operation
from app.web.schemas.credentials import (
    CredentialPage,
    CredentialQuery,
    CredentialRequest,
    CredentialUpdate,
    CredentialView,
)
from app.web.schemas.reading import body, pointer, query
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
    asked, at = body(CredentialRequest), times.now()
    made = Credential(
        tenant_id=caller().tenant_id,
        id=ids.new("cred"),
        name=asked.name,
        type=asked.type,
        workflow_id=None,
        sealed={},
        created_at=at,
        updated_at=at,
    )
    sealed = replace(made, sealed=_sealed(made, asked.data))
    told = noting(lambda _: [deeds.credential_made(sealed)])
    told.credentials.add(sealed)
    return jsonify(CredentialView.of(sealed)), 201


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
    told = noting(lambda after: [deeds.credential_replaced(found, after)])
    changed = told.credentials.replace(
        found.tenant_id,
        found.id,
        name=asked.name or found.name,
        sealed=_sealed(found, asked.data),
        at=times.now(),
    )
    services().doors.forget(found.tenant_id)
    return jsonify(CredentialView.of(changed))


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


def _sealed(credential: Credential, data: Mapping[str, SecretStr]) -> dict[str, bytes]:
    """Seal what a client sent.

    Raises:
        Invalid: these are not the fields of its type, or one of them cannot be used.
    """
    plain = {name: value.get_secret_value() for name, value in data.items()}
    fields = FIELDS[credential.type]
    missing = [each for each in fields if each not in plain]
    faults = [Fault(pointer("data", each), "is required") for each in missing]
    for name, value in plain.items():
        faults += _faults(name, value, fields)
    if faults:
        raise Invalid("The body does not fit.", faults)
    return services().secrets.seal(credential.tenant_id, credential.id, plain)


def _faults(name: str, value: str, fields: tuple[str, ...]) -> list[Fault]:
    at = pointer("data", name)
    if name not in fields:
        return [Fault(at, f"is unknown; the fields are: {', '.join(fields)}")]
    if name == "url":
        try:
            parse_url(value)
        except ValueError as error:
            return [Fault(at, str(error))]
    return []
