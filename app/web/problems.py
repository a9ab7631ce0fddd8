"""Every error an answer can carry, as RFC 9457 problem+json; knows no Flask."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import orjson

from app.domain.errors import (
    CallerGone,
    Conflict,
    CredentialMissing,
    Fault,
    Invalid,
    NotFound,
    Overloaded,
    RateLimited,
    ServiceError,
    SignupClosed,
    StoreUnavailable,
    TooManyWorkflows,
    Unsealable,
)

MEDIA_TYPE = "application/problem+json"
TITLES = {  # as RFC 9110 has them; releases of Python differ
    413: "Content Too Large",
    422: "Unprocessable Content",
}
MAX_FAULTS = 50  # more help nobody
STATUS: Mapping[type[ServiceError], int] = {
    NotFound: 404,
    Conflict: 409,
    CredentialMissing: 409,
    TooManyWorkflows: 409,
    Invalid: 422,
    SignupClosed: 403,
    CallerGone: 408,  # nobody reads it
    Overloaded: 503,
    RateLimited: 429,
    StoreUnavailable: 503,
    Unsealable: 503,  # until an operator gives us the key
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why a request was refused; `code` is a stable slug that clients rely on."""

    status: int
    code: str
    detail: str
    faults: Sequence[Fault] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    members: Mapping[str, Any] = field(default_factory=dict)  # beyond the standard's

    def document(self, request_id: str) -> bytes:
        """Write the problem down."""
        errors = [
            {"pointer": each.pointer, "message": each.message}
            for each in self.faults[:MAX_FAULTS]
        ]
        return orjson.dumps(
            {
                "type": f"/problems/{self.code}",
                "title": TITLES.get(self.status) or HTTPStatus(self.status).phrase,
                "status": self.status,
                "detail": self.detail,
                "request_id": request_id,
                "errors": errors,
                **self.members,
            }
        )


class Refused(Exception):
    """The web layer itself refuses a request, for the reason it carries."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


def of(error: ServiceError) -> Problem | None:
    """Make the problem of an error that a client may cause; None if it is our fault."""
    status = STATUS.get(type(error))
    if status is None:
        return None
    return Problem(
        status=status,
        code=error.code,
        detail=str(error),
        faults=error.faults if isinstance(error, Invalid) else (),
        headers=_headers(error),
    )


def expected(error: ServiceError) -> Problem:
    """Make the problem of an error that a client may cause, else raise the error."""
    problem = of(error)
    if problem is None:
        raise error
    return problem


def internal() -> Problem:
    """Tell that we failed, and nothing else: the log has the rest."""
    detail = "Something failed on our side; the log names the cause by request_id."
    return Problem(status=500, code="internal", detail=detail)


def unauthorized(detail: str) -> Problem:
    """Tell that nobody knows who is calling."""
    headers = {"WWW-Authenticate": 'Bearer realm="sluice"'}
    return Problem(status=401, code="unauthorized", detail=detail, headers=headers)


def not_json(reason: str) -> Problem:
    """Tell that a body is not what it should be written in."""
    detail = f"The body must be JSON in UTF-8 without BOM: {reason}."
    return Problem(status=400, code="not-json", detail=detail)


def malformed(reason: str) -> Problem:
    """Tell that the request is no whole HTTP request."""
    return Problem(status=400, code="malformed-request", detail=reason)


def too_large(limit: int) -> Problem:
    """Tell that a body has more bytes than are taken."""
    detail = f"The body is larger than the limit of {limit} bytes; send less."
    return Problem(status=413, code="too-large", detail=detail)


def _headers(error: ServiceError) -> Mapping[str, str]:
    if isinstance(error, Overloaded):
        return {"Retry-After": str(error.retry_after)}
    if isinstance(error, StoreUnavailable):
        return {"Retry-After": "1"}
    if isinstance(error, Unsealable):
        return {"Retry-After": "60"}
    return {}
