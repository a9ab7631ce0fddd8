"""Start, read and cancel executions."""

from flask import Blueprint, Response, jsonify, url_for
from flask.typing import ResponseReturnValue

from app.domain import ids
from app.domain.account import Scope
from app.domain.audit import Action
from app.domain.execution import Status
from app.web import deeds, details, pages, runs
from app.web.auth import caller
from app.web.noting import note
from app.web.operations import Operation
from app.web.schemas.executions import (
    ExecutionItem,
    ExecutionPage,
    ExecutionQuery,
    ExecutionView,
    QueuedView,
    RequestView,
    StepPage,
    StepQuery,
)
from app.web.schemas.reading import body, query
from app.web.schemas.workflows import RunRequest
from app.web.services import services

bp = Blueprint("executions", __name__, url_prefix="/api/v1")
ANY_BYTES = "application/octet-stream"


@bp.post("/workflows/<workflow_id>/run")
@Operation(
    scope=Scope.RUN,
    body=RunRequest,
    answers={200: ExecutionView, 202: QueuedView},
    problems=(408, 504),
    headers={202: ("Location",)},
    unaudited="the execution itself keeps who started it, and when",
)
def start(workflow_id: str) -> ResponseReturnValue:
    """Run a workflow, active or not: 202, or 200 with its end when waited for."""
    asked = body(RunRequest)
    if asked.wait is not None:
        over = runs.start_and_wait(caller(), workflow_id, asked.input, asked.wait)
        return jsonify(details.of(over))
    execution = runs.start(caller(), workflow_id, asked.input)
    queued = QueuedView(status=execution.status, execution_id=execution.id)
    where = url_for(".read", execution_id=execution.id)
    return jsonify(queued), 202, {"Location": where}


@bp.get("/executions")
@Operation(scope=Scope.READ, query=ExecutionQuery, answers={200: ExecutionPage})
def index() -> ResponseReturnValue:
    """List executions, newest first."""
    asked = query(ExecutionQuery)
    before = pages.after_id(asked.cursor, "exec")
    foreign = asked.workflow_id and not ids.well_formed(asked.workflow_id, "wf")
    found = (
        []
        if foreign
        else services().store.executions.list(
            caller().tenant_id, asked.wanted(), limit=asked.limit + 1, before=before
        )
    )
    return pages.page(found, asked.limit, ExecutionItem.of, key=lambda each: each.id)


@bp.get("/executions/<execution_id>")
@Operation(scope=Scope.READ, answers={200: ExecutionView})
def read(execution_id: str) -> ResponseReturnValue:
    """Show one execution with what came in and what its steps did."""
    execution = services().store.executions.get(caller().tenant_id, execution_id)
    return jsonify(details.of(execution))


@bp.get("/executions/<execution_id>/input")
@Operation(scope=Scope.READ, answers={200: ANY_BYTES})
def read_input(execution_id: str) -> ResponseReturnValue:
    """Download the body that came in, exactly as it was."""
    found = services().store.executions.payload(caller().tenant_id, execution_id)
    disposition = f'attachment; filename="{execution_id}.bin"'
    headers = {"Content-Disposition": disposition}
    return Response(found.body, headers=headers, content_type=ANY_BYTES)


@bp.get("/executions/<execution_id>/request")
@Operation(scope=Scope.READ, answers={200: RequestView})
def read_request(execution_id: str) -> ResponseReturnValue:
    """Show what came in beside the body."""
    found = services().store.executions.payload(caller().tenant_id, execution_id)
    return jsonify(details.request_of(execution_id, found))


@bp.get("/executions/<execution_id>/steps")
@Operation(scope=Scope.READ, query=StepQuery, answers={200: StepPage})
def list_steps(execution_id: str) -> ResponseReturnValue:
    """List the steps in the order in which they started."""
    asked = query(StepQuery)
    execution = services().store.executions.get(caller().tenant_id, execution_id)
    return details.steps_page(execution, asked.limit, pages.after_number(asked.cursor))


@bp.get("/executions/<execution_id>/steps/<path:step>/output")
@Operation(scope=Scope.READ, answers={200: "application/json"})
def read_output(execution_id: str, step: str) -> ResponseReturnValue:
    """Show the output of one step, whole, however large."""
    execution = services().store.executions.get(caller().tenant_id, execution_id)
    return Response(details.output(execution, step), content_type="application/json")


@bp.post("/executions/<execution_id>/cancel")
@Operation(
    scope=Scope.RUN,
    answers={200: ExecutionItem, 202: ExecutionItem},
    problems=(409,),
    audits=(Action.EXECUTION_CANCEL,),
)
def cancel(execution_id: str) -> ResponseReturnValue:
    """Cancel what is queued or waiting: 200; ask what is running to stop: 202."""
    told = note(lambda stopped: [deeds.execution_cancelled(stopped)])
    after = services().dispatcher.cancel(caller().tenant_id, execution_id, note=told)
    status = 200 if after.status is Status.CANCELLED else 202
    return jsonify(ExecutionItem.of(after)), status
