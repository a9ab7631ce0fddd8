"""Lets no error leave the service in any other form than a problem document."""

import logging

from flask import Flask, Response, g
from werkzeug.exceptions import HTTPException

from app.domain.errors import ServiceError
from app.web import problems
from app.web.problems import Problem, Refused

log = logging.getLogger(__name__)
ADVICE = {
    400: "The request is not one this service understands; see its host and syntax.",
    404: "Nothing is at this path; see /openapi.json for what there is.",
    405: "This path does not take the method; see the Allow header.",
}


def install(app: Flask) -> None:
    """Answer every error, expected or not."""
    app.register_error_handler(Refused, _refused)
    app.register_error_handler(ServiceError, _service)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)


def answer(problem: Problem) -> Response:
    """Make the response that tells a problem."""
    return Response(
        problem.document(g.request_id),
        problem.status,
        problem.headers,
        content_type=problems.MEDIA_TYPE,
    )


def _refused(error: Refused) -> Response:
    return answer(error.problem)


def _service(error: ServiceError) -> Response:
    problem = problems.of(error)
    return _unexpected(error) if problem is None else answer(problem)


def _http(error: HTTPException) -> Response:
    """Translate what Flask and Werkzeug refuse: unknown paths, methods, hosts."""
    status = error.code or 500
    if status >= 500:  # noqa: PLR2004
        return _unexpected(error)
    code = error.name.lower().replace(" ", "-")
    detail = ADVICE.get(status, "The request was refused.")
    headers = {k: v for k, v in error.get_headers() if k == "Allow"}
    return answer(Problem(status=status, code=code, detail=detail, headers=headers))


def _unexpected(error: Exception) -> Response:
    log.error("Request failed", exc_info=error)
    return answer(problems.internal())
