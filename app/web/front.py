"""Webhooks on their way past Flask, which takes several times as long as they need.

The blueprint in `hooks` is the reference: whatever is unusual about a request goes
there, and what is answered here is answered as it would have been there.
"""

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from flask import Response
from werkzeug.exceptions import SecurityError
from werkzeug.http import HTTP_STATUS_CODES
from werkzeug.wsgi import get_host

from app.domain import times
from app.telemetry import logs
from app.web import bodies, problems, requests
from app.web.deliveries import Delivery
from app.web.outcomes import Answer
from app.web.pending import Pending
from app.web.services import Services

log = logging.getLogger(__name__)
HOOKS = "/hooks/"
RULES = ("/hooks/<token>", "/hooks/<token>/<rest:more>")  # as Flask has them
BARE = frozenset({"CONTENT_TYPE", "CONTENT_LENGTH"})  # headers without HTTP_
Environ = dict[str, Any]
App = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


class Front:
    """A WSGI application that takes what is posted to a webhook.

    Args:
        behind: takes all else.
        services: what an endpoint would use.
        trusted_hosts: names this service answers to; none: any.
    """

    def __init__(
        self, behind: App, services: Services, *, trusted_hosts: Sequence[str]
    ) -> None:
        self.behind, self._services = behind, services
        self._trusted = tuple(trusted_hosts)

    def __call__(
        self, environ: Environ, start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer one request."""
        if not self._takes(environ):
            return self.behind(environ, start_response)
        began = time.monotonic()
        request_id = requests.id_of(environ.get("HTTP_X_REQUEST_ID", ""))
        logs.clear()
        logs.bind(request_id=request_id)
        try:
            answer, is_plain = self._receive(environ, request_id)
            rule = RULES["/" in environ["PATH_INFO"][len(HOOKS) :]]
            seconds = time.monotonic() - began
            self._services.metrics.http_request(rule, "POST", answer.status, seconds)
        finally:
            logs.clear()
        if not is_plain:
            return _careful(answer, request_id)(environ, start_response)
        start_response(_line(answer.status), _fields(answer, request_id))
        return (answer.body,)

    def _takes(self, environ: Environ) -> bool:
        """Tell whether a request has nothing that only Flask understands."""
        if (
            environ["REQUEST_METHOD"] != "POST"
            or not environ["PATH_INFO"].startswith(HOOKS)
            or environ["PATH_INFO"].startswith("/", len(HOOKS))
            or len(environ["PATH_INFO"]) == len(HOOKS)
            or "HTTP_ORIGIN" in environ
        ):
            return False
        return not self._trusted or self._is_trusted(environ)

    def _is_trusted(self, environ: Environ) -> bool:
        try:
            get_host(environ, self._trusted)
        except SecurityError:
            return False
        return True

    def _receive(self, environ: Environ, request_id: str) -> tuple[Answer, bool]:
        """Return the answer, and whether all of its headers are ours."""
        try:
            pending = self._services.receiver.admit(self._delivery(environ, request_id))
            answer = pending.answer()
        except Exception as error:
            log.error("Request failed", exc_info=error)  # noqa: TRY400 - as Flask's is
            return Pending.told(problems.internal(), request_id), True
        plain = not pending.waits_for_end and "Content-Type" in answer.headers
        return answer, plain

    def _delivery(self, environ: Environ, request_id: str) -> Delivery:
        path = environ["PATH_INFO"].encode("latin-1").decode(errors="replace")
        token, slash, more = path[len(HOOKS) :].partition("/")
        return Delivery(
            token=token,
            method="POST",
            path=slash + more,
            query=environ.get("QUERY_STRING", ""),
            headers=_headers(environ),
            body=bodies.read(environ, self._services.max_body),
            request_id=request_id,
            received_at=times.now(),
            client=requests.socket_of(environ),
        )


def _headers(environ: Environ) -> Sequence[tuple[str, str]]:
    """Return the headers as Flask would list them."""
    return [
        (name.removeprefix("HTTP_").replace("_", "-").title(), value)
        for name, value in environ.items()
        if (name.startswith("HTTP_") and name[5:] not in BARE)
        or (name in BARE and value)
    ]


def _line(status: int) -> str:
    return f"{status} {HTTP_STATUS_CODES[status].upper()}"


def _fields(answer: Answer, request_id: str) -> list[tuple[str, str]]:
    """Write the headers of an answer that Sluice itself gives."""
    return [
        *{
            **requests.CAREFUL,
            **answer.headers,
            "X-Request-Id": request_id,
            "Vary": "Origin",
            "Content-Length": str(len(answer.body)),
        }.items()
    ]


def _careful(answer: Answer, request_id: str) -> Response:
    """Make a response of what a workflow may have written as it likes."""
    response = Response(answer.body, answer.status, answer.headers)
    requests.dress(response, request_id)
    return response
