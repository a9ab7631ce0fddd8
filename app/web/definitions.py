"""Checking the definitions that clients send, and agreeing on a name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from app.domain import ids, times
from app.domain.credential import Credential
from app.domain.errors import Fault, Invalid
from app.domain.workflow import Definition, Published, Token, Version, Workflow
from app.security import tokens
from app.web.auth import Caller
from app.web.schemas.types import Name
from app.web.schemas.workflows import WorkflowRequest
from app.web.services import services
from app.web.written_secrets import Owner


@dataclass(frozen=True, slots=True)
class Made:
    """A new workflow, and the credentials that were written into its definition."""

    published: Published
    credentials: Sequence[Credential]


def check(who: Caller, definition: Definition) -> None:
    """Refuse what could not run.

    Raises:
        Invalid: with every fault, each pointing into the request's body.
    """
    found: list[Fault] = []
    try:
        services().compiler.compile(definition)
    except Invalid as error:
        found += error.faults
    found += services().mover.faults(who.tenant_id, definition)
    if found:
        faults = [Fault(f"/definition{each.pointer}", each.message) for each in found]
        raise Invalid("The definition does not fit.", faults)


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
    """Make a new workflow with its first version.

    Raises:
        Invalid: the definition does not fit, or there is no name.
    """
    check(who, asked.definition)
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
        is_active=asked.is_active,
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
    return Made(Published(workflow, version), moved.credentials)


def token(tenant_id: str, workflow_id: str) -> Token:
    """Make a new token for a workflow's webhook."""
    return tokens.sealed(services().vault, tokens.new(), tenant_id, workflow_id)
