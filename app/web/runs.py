"""Starting a run for a person, and waiting for its end."""

from dataclasses import replace
from typing import Any

from flask import request

from app.domain import jsons, times
from app.domain.errors import Overloaded
from app.domain.execution import Execution, Payload, Trigger
from app.domain.workflow import Published
from app.engine.dispatcher import Run
from app.telemetry import logs, traces
from app.telemetry.traces import Kind
from app.web.auth import Caller
from app.web.requests import client, leave
from app.web.services import services

COMMIT = 10.0  # seconds to wait for a commit


def start(who: Caller, workflow_id: str, value: Any) -> Execution:
    """Queue a run of the current version, whose `trigger.body` is `value`.

    Raises:
        NotFound: the tenant has no such workflow.
        Overloaded, StoreUnavailable: nothing was started.
    """
    published = services().store.workflows.get(who.tenant_id, workflow_id)
    return _submit(who, published, value)


def start_and_wait(
    who: Caller, workflow_id: str, value: Any, seconds: float
) -> Execution:
    """Run the current version to its end.

    Raises:
        NotFound: the tenant has no such workflow.
        Overloaded, StoreUnavailable: nothing was started.
        Refused: 504, it is not over yet and goes on.
        CallerGone: nobody hears the answer.
    """
    published = services().store.workflows.get(who.tenant_id, workflow_id)
    with services().room.enter(published, Trigger.MANUAL, client()) as visit:
        execution = _submit(who, published, value, awaited=True)
        return visit.stay(execution.id, seconds)


def _payload(body: bytes) -> Payload:
    return Payload(
        body=body,
        content_type="application/json",
        headers={},
        query={},
        method="POST",
        path="",
        received_at=times.now(),
    )


def _submit(
    who: Caller, published: Published, value: Any, *, awaited: bool = False
) -> Execution:
    run = Run(
        published=published,
        trigger=Trigger.MANUAL,
        payload=_payload(jsons.encode(value)),
        user_id=who.user_id,
        awaited=awaited,
    )
    with services().tracer.span(
        "receive",
        traces.parsed(request.headers.get(traces.HEADER)),
        {
            "sluice.tenant_id": who.tenant_id,
            "sluice.workflow_id": published.workflow.id,
        },
        kind=Kind.IN,
    ) as span:
        logs.bind(trace_id=span.trace_id)
        return _recorded(replace(run, trace=span.context))


def _recorded(run: Run) -> Execution:
    recorded = services().dispatcher.submit(run)
    leave()
    try:
        return recorded.result(COMMIT)
    except TimeoutError as error:
        raise Overloaded("The store did not commit the run in time.") from error
