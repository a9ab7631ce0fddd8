"""Checking the definitions that clients send, and agreeing on a name."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from app.domain import exposed, ids, times
from app.domain.credential import Credential
from app.domain.errors import CredentialMissing, Fault, Invalid
from app.domain.workflow import Definition, Published, Token, Version, Workflow
from app.security import tokens
from app.web.auth import Caller
from app.web.needs import Missing
from app.web.problems import Problem, Refused
from app.web.schemas.types import Name
from app.web.schemas.workflows import WorkflowRequest
from app.web.services import services
from app.web.written_secrets import Owner

UNUSABLE = "credential-unusable"
NOT_READY = (
    "The workflow stays inactive: a credential that it names is missing, or of another"
    " type. Make it at /api/v1/credentials under this name and send this again; the"
    " workflow need not be saved again."
)


@dataclass(frozen=True, slots=True)
class Made:
    """A new workflow, and the credentials that were written into its definition."""

    published: Published
    credentials: Sequence[Credential]
    missing: Sequence[Missing]  # what somebody has yet to make


def check(who: Caller, definition: Definition, *, is_active: bool) -> Sequence[Missing]:
    """Refuse what could not run; return the credentials that are missing.

    Of an active workflow, to which events come, none may be missing.

    Raises:
        Invalid: with every fault, each pointing into the request's body.
    """
    found: list[Fault] = []
    try:
        services().compiler.compile(definition)
    except Invalid as error:
        found += error.faults
    found += exposed.faults(definition)
    needs = services().needs.of(who.tenant_id, definition)
    found += needs.faults() if is_active else needs.misfits
    if found:
        raise Invalid("The definition does not fit.", _in_body(found))
    return needs.missing


def require_credentials(who: Caller, definition: Definition) -> None:
    """Refuse to open the door of a workflow whose credentials are missing.

    Raises:
        Refused: with each of them.
    """
    needs = services().needs.of(who.tenant_id, definition)
    faults = list(needs.faults())
    if faults:
        raise Refused(
            Problem(
                status=409,
                code=CredentialMissing.code if needs.missing else UNUSABLE,
                detail=NOT_READY,
                faults=_in_body(faults),
            )
        )


def _in_body(faults: Iterable[Fault]) -> list[Fault]:
    return [Fault(f"/definition{each.pointer}", each.message) for each in faults]


def name_of(name: str | None, definition: Mapping[str, Any]) -> str | None:
    """Return the request's name, or else the definition's own, if it has one.

    Raises:
        Invalid: the definition's own counts and is no name.
    """
    if name is not None or definition.get("name") is None:
        return name
    try:
        own: str = TypeAdapter(Name).validate_python(definition["name"])
    except ValidationError as error:
        fault = Fault("/definition/name", error.errors()[0]["msg"])
        raise Invalid("The definition does not fit.", [fault]) from error
    return own


def first(who: Caller, asked: WorkflowRequest) -> Made:
    """Make a new workflow with its first version; inactive, if a credential is missing.

    Raises:
        Invalid: the definition does not fit, or there is no name.
    """
    missing = check(who, asked.definition, is_active=False)
    name = name_of(asked.name, asked.definition)
    if name is None:
        raise Invalid("The body does not fit.", [Fault("/name", "is required")])
    at, workflow_id = times.now(), ids.new("wf")
    owner = Owner(tenant_id=who.tenant_id, workflow_id=workflow_id, name=name, at=at)
    moved = services().mover.move(owner, asked.definition)
    workflow = Workflow(
        tenant_id=who.tenant_id,
        id=workflow_id,
        name=name,
        version=1,
        is_active=asked.is_active and not missing,
        token=token(who.tenant_id, workflow_id),
        created_at=at,
        updated_at=at,
    )
    version = Version(
        tenant_id=who.tenant_id,
        workflow_id=workflow_id,
        number=1,
        definition=moved.definition,
        author_id=who.user_id,
        created_at=at,
    )
    return Made(Published(workflow, version), moved.credentials, missing)


def token(tenant_id: str, workflow_id: str) -> Token:
    """Make a new token for a workflow's webhook."""
    return tokens.sealed(services().vault, tokens.new(), tenant_id, workflow_id)
