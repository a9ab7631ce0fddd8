"""Starting a run for a person, and waiting for its end."""

from typing import Any

from app.domain import jsons, times
from app.domain.errors import Overloaded
from app.domain.execution import Execution, Payload, Trigger
from app.engine.dispatcher import Run
from app.web.auth import Caller
from app.web.problems import Problem, Refused
from app.web.services import services

COMMIT = 10.0  # seconds to wait for a commit


def start(who: Caller, workflow_id: str, value: Any) -> Execution:
    """Queue a run of the current version, whose `trigger.body` is `value`.

    Raises:
        NotFound: the tenant has no such workflow.
        Overloaded, StoreUnavailable: nothing was started.
    """
    run = Run(
        published=services().store.workflows.get(who.tenant_id, workflow_id),
        trigger=Trigger.MANUAL,
        payload=_payload(jsons.encode(value)),
        user_id=who.user_id,
    )
    try:
        return services().dispatcher.submit(run).result(COMMIT)
    except TimeoutError as error:
        raise Overloaded("The store did not commit the run in time.") from error


def wait(execution: Execution, seconds: float) -> Execution:
    """Wait until a run is over; it goes on when the wait ends first.

    Raises:
        Refused: 504, it is not over yet.
    """
    over = services().dispatcher.wait(execution.tenant_id, execution.id, seconds)
    if over is None:
        raise Refused(_goes_on(execution, seconds))
    return over


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


def _goes_on(execution: Execution, seconds: float) -> Problem:
    detail = f"The run did not end within {seconds:g} s; it goes on."
    return Problem(
        status=504,
        code="still-running",
        detail=detail,
        members={"execution_id": execution.id},
    )
