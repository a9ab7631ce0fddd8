"""Define, change, enable and delete workflows."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import partial

from flask import Blueprint, Response, jsonify, url_for
from flask.typing import ResponseReturnValue

from app.domain import jsons, times
from app.domain.account import Scope
from app.domain.audit import Action, Deed
from app.domain.workflow import Definition, Published, Version, Workflow
from app.security import tokens
from app.web import deeds, definitions, pages
from app.web.answers import Room
from app.web.auth import caller
from app.web.noting import noting
from app.web.operations import Operation
from app.web.schemas.reading import body, query
from app.web.schemas.workflows import (
    MissingCredential,
    RollbackRequest,
    VersionItem,
    VersionPage,
    WorkflowItem,
    WorkflowPage,
    WorkflowPatch,
    WorkflowQuery,
    WorkflowRequest,
    WorkflowUpdate,
    WorkflowView,
)
from app.web.services import services
from app.web.written_secrets import Owner

OVERLAP = timedelta(hours=24)  # that a rotated URL goes on working
bp = Blueprint("workflows", __name__, url_prefix="/api/v1/workflows")


@bp.get("")
@Operation(scope=Scope.READ, query=WorkflowQuery, answers={200: WorkflowPage})
def index() -> ResponseReturnValue:
    """List the workflows, newest first, without their definitions."""
    asked = query(WorkflowQuery)
    before = pages.after_id(asked.cursor, "wf")
    found = services().store.workflows.list(
        caller().tenant_id, limit=asked.limit + 1, before=before
    )
    return pages.page(found, asked.limit, _item, key=lambda each: each.id)


@bp.post("")
@Operation(
    scope=Scope.WRITE,
    body=WorkflowRequest,
    answers={201: WorkflowView},
    problems=(409,),
    headers={201: ("Location",)},
    audits=(Action.WORKFLOW_CREATE, Action.CREDENTIAL_CREATE),
)
def create() -> ResponseReturnValue:
    """Save a workflow with its first version; its webhook works at once.

    If a credential is missing it is saved inactive, and `missing_credentials` says what
    to make before it can be activated.
    """
    made = definitions.first(caller(), body(WorkflowRequest))
    saved, credentials = made.published, made.credentials
    told = noting(lambda _: deeds.workflow_made(saved, credentials, made.missing))
    told.workflows.add(
        saved.workflow,
        saved.version,
        credentials=credentials,
        most=services().max_workflows,
    )
    where = url_for(".read", workflow_id=saved.workflow.id)
    return _shown(saved), 201, {"Location": where}


@bp.get("/<workflow_id>")
@Operation(scope=Scope.READ, answers={200: WorkflowView})
def read(workflow_id: str) -> ResponseReturnValue:
    """Show a workflow with its current definition."""
    return _shown(services().store.workflows.get(caller().tenant_id, workflow_id))


@bp.put("/<workflow_id>")
@Operation(
    scope=Scope.WRITE,
    body=WorkflowUpdate,
    answers={200: WorkflowView},
    problems=(409,),
    audits=(
        Action.WORKFLOW_PUBLISH,
        Action.WORKFLOW_RENAME,
        Action.CREDENTIAL_CREATE,
    ),
)
def update(workflow_id: str) -> ResponseReturnValue:
    """Save a new version; what was accepted before runs its own.

    An active workflow needs every credential that the new version names.
    """
    asked = body(WorkflowUpdate)
    name = definitions.name_of(asked.name, asked.definition)
    return _publish(workflow_id, asked.definition, name, deeds.workflow_published)


@bp.patch("/<workflow_id>")
@Operation(
    scope=Scope.WRITE,
    body=WorkflowPatch,
    answers={200: WorkflowView},
    problems=(409,),
    audits=(
        Action.WORKFLOW_RENAME,
        Action.WORKFLOW_ACTIVATE,
        Action.WORKFLOW_DEACTIVATE,
    ),
)
def change(workflow_id: str) -> ResponseReturnValue:
    """Rename a workflow, or open and close its door.

    It is not opened while a credential that it names is missing.
    """
    asked = body(WorkflowPatch)
    if asked.is_active:
        now = services().store.workflows.get(caller().tenant_id, workflow_id)
        definitions.require_credentials(caller(), now.version.definition)
    changed = noting(deeds.workflow_changed).workflows.change(
        caller().tenant_id,
        workflow_id,
        name=asked.name,
        is_active=asked.is_active,
        at=times.now(),
    )
    _forget(workflow_id)
    return _shown(changed.after)


@bp.delete("/<workflow_id>")
@Operation(scope=Scope.WRITE, answers={204: None}, audits=(Action.WORKFLOW_DELETE,))
def delete(workflow_id: str) -> ResponseReturnValue:
    """Delete a workflow; accepted work ends, its history and credentials stay."""
    told = noting(lambda gone: [deeds.workflow_deleted(gone)])
    told.workflows.delete(caller().tenant_id, workflow_id, at=times.now())
    _forget(workflow_id)
    return "", 204


@bp.get("/<workflow_id>/versions")
@Operation(scope=Scope.READ, query=WorkflowQuery, answers={200: VersionPage})
def versions(workflow_id: str) -> ResponseReturnValue:
    """List the versions, newest first, without their definitions."""
    asked = query(WorkflowQuery)
    before = pages.after_number(asked.cursor)
    found = services().store.workflows.versions(
        caller().tenant_id, workflow_id, limit=asked.limit + 1, before=before
    )
    return pages.page(found, asked.limit, _version, key=lambda each: str(each.number))


@bp.get("/<workflow_id>/versions/<int(max=2147483647):number>/definition")
@Operation(scope=Scope.READ, answers={200: "application/json"})
def definition(workflow_id: str, number: int) -> ResponseReturnValue:
    """Show the definition of one version, whole, however large."""
    found = services().store.workflows.version(caller().tenant_id, workflow_id, number)
    return Response(_written(found.definition), content_type="application/json")


@bp.post("/<workflow_id>/rollback")
@Operation(
    scope=Scope.WRITE,
    body=RollbackRequest,
    answers={200: WorkflowView},
    audits=(Action.WORKFLOW_ROLLBACK, Action.CREDENTIAL_CREATE),
)
def rollback(workflow_id: str) -> ResponseReturnValue:
    """Save an old version again, as the newest."""
    number = body(RollbackRequest).version
    old = services().store.workflows.version(caller().tenant_id, workflow_id, number)
    tell = partial(deeds.workflow_rolled_back, to=number)
    return _publish(workflow_id, old.definition, None, tell)


@bp.post("/<workflow_id>/rotate-token")
@Operation(
    scope=Scope.WRITE,
    answers={200: WorkflowView},
    audits=(Action.WORKFLOW_ROTATE_TOKEN,),
)
def rotate_token(workflow_id: str) -> ResponseReturnValue:
    """Give the webhook another URL; the old one works for 24 hours more."""
    at, tenant_id = times.now(), caller().tenant_id
    told = noting(lambda it: [deeds.token_rotated(it)])
    rotated = told.workflows.rotate(
        tenant_id,
        workflow_id,
        token=definitions.token(tenant_id, workflow_id),
        until=at + OVERLAP,
        at=at,
    )
    _forget(workflow_id)
    return _shown(rotated)


def _publish(
    workflow_id: str,
    definition: Definition,
    name: str | None,
    tell: Callable[..., Iterable[Deed]],
) -> ResponseReturnValue:
    who, at = caller(), times.now()
    now = services().store.workflows.get(who.tenant_id, workflow_id).workflow
    missing = definitions.check(who, definition, is_active=now.is_active)
    owner = Owner(
        tenant_id=who.tenant_id, workflow_id=now.id, name=name or now.name, at=at
    )
    moved = services().mover.move(owner, definition)
    told = noting(
        lambda edited: tell(edited, credentials=moved.credentials, missing=missing)
    )
    published = told.workflows.publish(
        who.tenant_id,
        workflow_id,
        definition=moved.definition,
        name=name,
        author_id=who.user_id,
        at=at,
        credentials=moved.credentials,
    )
    _forget(workflow_id)
    return _shown(published.after)


def _forget(workflow_id: str) -> None:
    services().doors.forget(caller().tenant_id, workflow_id)


def _item(workflow: Workflow) -> WorkflowItem:
    token = tokens.opened(services().vault, workflow)
    return WorkflowItem(
        id=workflow.id,
        name=workflow.name,
        version=workflow.version,
        webhook_url=f"{services().public_url}/hooks/{token}",
        is_active=workflow.is_active,
        created_at=workflow.created_at,
        updated_at=workflow.updated_at,
    )


def _shown(published: Published) -> Response:
    workflow, version = published.workflow, published.version
    current = version.definition
    if "name" in current:
        current = {**current, "name": workflow.name}
    shown = Room().show(_written(current), _definition_url(version))
    view = WorkflowView(
        **dict(_item(workflow)),
        definition=shown,
        missing_credentials=_missing(published),
    )
    return jsonify(view)


def _missing(published: Published) -> list[MissingCredential]:
    """Tell what keeps a workflow closed; nothing keeps one that is open."""
    workflow, definition = published.workflow, published.version.definition
    if workflow.is_active:
        return []
    found = services().needs.of(workflow.tenant_id, definition).missing
    return [
        MissingCredential(
            name=each.name, types=list(each.types), used_at=list(each.used_at)
        )
        for each in found
    ]


def _version(version: Version) -> VersionItem:
    return VersionItem(
        version=version.number,
        author_id=version.author_id,
        created_at=version.created_at,
        definition_url=_definition_url(version),
    )


def _definition_url(version: Version) -> str:
    return url_for(
        ".definition", workflow_id=version.workflow_id, number=version.number
    )


def _written(definition: Definition) -> bytes:
    return jsons.encode(dict(definition))
