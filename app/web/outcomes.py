"""What a caller who waited for a run is told. Knows no Flask."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.domain import jsons
from app.domain.execution import Execution, Status, StepRecord, StepStatus
from app.web.problems import Problem, Refused

JSON = "application/json"
TEXT = "text/plain; charset=utf-8"
LONGEST = 256 << 10  # bytes: what a connection takes without holding a thread
WITHOUT_BODY = frozenset({204, 205, 304})


@dataclass(frozen=True, slots=True)
class Answer:
    """What a sender is told."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def of(
    execution: Execution,
    records: Sequence[StepRecord],
    output: Callable[[str], bytes | None],
) -> Answer:
    """Return what the last `respond` step said, or else the last step's output.

    Args:
        execution: is over.
        records: its steps, in order.
        output: reads what the step of a path put out.

    Raises:
        Refused: 502, the run did not succeed, or said more than an answer holds.
    """
    if execution.status is not Status.SUCCESS:
        raise Refused(_unsuccessful(execution))
    said = [each for each in records if each.is_answer and _succeeded(each)]
    if said:
        answer = _chosen(jsons.parse(output(said[-1].path) or b"{}"))
    else:
        last = output(records[-1].path) if records else None
        answer = Answer(200, {"Content-Type": JSON}, last or b"null")
    if len(answer.body) > LONGEST:
        raise Refused(_too_long(execution))
    return answer


def still_running(execution_id: str, seconds: float) -> Problem:
    """Tell that a wait ended before the run did."""
    detail = f"The run did not end within {seconds:g} s; it goes on."
    return _about(execution_id, status=504, code="still-running", detail=detail)


def _succeeded(record: StepRecord) -> bool:
    return record.status is StepStatus.SUCCESS


def _chosen(said: Mapping[str, Any]) -> Answer:
    body, kind = _written(said.get("body"))
    status, headers = said["status"], dict(said["headers"])
    if status in WITHOUT_BODY:
        return Answer(status, headers, b"")
    if not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = kind
    return Answer(status, headers, body)


def _written(value: Any) -> tuple[bytes, str]:
    if value is None:
        return b"", TEXT
    if isinstance(value, str):
        return value.encode(), TEXT
    return jsons.encode(value), JSON


def _unsuccessful(execution: Execution) -> Problem:
    """Name the failure's code and no more: the sender may be a stranger."""
    why = f" ({execution.error.code})" if execution.error else ""
    detail = f"The workflow ended as {execution.status}{why}."
    return _about(execution.id, status=502, code="workflow-failed", detail=detail)


def _too_long(execution: Execution) -> Problem:
    detail = f"The workflow's answer has more than {LONGEST} bytes; answer less."
    return _about(execution.id, status=502, code="answer-too-large", detail=detail)


def _about(execution_id: str, *, status: int, code: str, detail: str) -> Problem:
    return Problem(
        status=status,
        code=code,
        detail=detail,
        headers={"Location": f"/api/v1/executions/{execution_id}"},
        members={"execution_id": execution_id},
    )
