"""Checking the definitions that clients send, and agreeing on a name."""

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from app.domain import ids, times
from app.domain.errors import Fault, Invalid
from app.domain.workflow import Definition, Published, Version, Workflow
from app.security import tokens
from app.web.auth import Caller
from app.web.schemas.types import Name
from app.web.schemas.workflows import WorkflowRequest
from app.web.services import services


def check(definition: Definition) -> None:
    """Refuse what could not run.

    Raises:
        Invalid: with every fault, each pointing into the request's body.
    """
    try:
        services().compiler.compile(definition)
    except Invalid as error:
        faults = [
            Fault(f"/definition{each.pointer}", each.message) for each in error.faults
        ]
        raise Invalid("The definition does not fit.", faults) from error


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


def first(who: Caller, asked: WorkflowRequest) -> Published:
    """Make a new workflow with its first version.

    Raises:
        Invalid: the definition does not fit, or there is no name.
    """
    check(asked.definition)
    name = name_of(asked.name, asked.definition)
    if name is None:
        raise Invalid("The body does not fit.", [Fault("/name", "is required")])
    at = times.now()
    workflow = Workflow(
        tenant_id=who.tenant_id,
        id=ids.new("wf"),
        name=name,
        version=1,
        is_active=asked.is_active,
        token=tokens.new(),
        created_at=at,
        updated_at=at,
    )
    version = Version(
        tenant_id=who.tenant_id,
        workflow_id=workflow.id,
        number=1,
        definition=asked.definition,
        author_id=who.user_id,
        created_at=at,
    )
    return Published(workflow, version)
