"""Webhooks on their way past Flask, which takes several times as long as they need.

The blueprint in `hooks` is the reference: whatever is unusual about a request goes
there, and what is answered here is answered as it would have been there.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Self

from flask import Response
from werkzeug.exceptions import SecurityError
from werkzeug.http import HTTP_STATUS_CODES
from werkzeug.wsgi import get_host

from app.domain import times
from app.server.swift import Reply
from app.telemetry import logs
from app.web import bodies, hooks, problems, requests
from app.web.deliveries import Delivery
from app.web.outcomes import WITHOUT_BODY, Answer
from app.web.pending import Pending
from app.web.problems import Problem
from app.web.services import Services

log = logging.getLogger(__name__)
HOOKS = "/hooks/"
RULES = ("/hooks/<token>", "/hooks/<token>/<rest:more>")  # as Flask has them
FOREIGN = {"Content-Security-Policy": hooks.FOREIGN}
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
        """Answer one request, on a thread."""
        if not self._takes(environ):
            return self.behind(environ, start_response)
        call = Call.of(environ)
        with call.logged():
            answer, is_plain = self._answer(call)
        self._count(call, answer)
        if not is_plain:
            return self._careful(call, answer)(environ, start_response)
        start_response(line(answer.status), self._fields(call, answer))
        return (answer.body,)

    def take(self, environ: Environ, reply: Reply) -> bool:
        """Answer one request on an event loop, unless that could block it."""
        if not self._takes(environ):
            return False
        call = Call.of(environ)
        if not self._services.doors.is_swift(call.token):
            return False
        tell = partial(self._reply, call, reply)
        with call.logged():
            try:
                self._admit(call).when_answered(tell)
            except Exception as error:  # noqa: BLE001 - told and logged
                tell(_failed(call, error))
        return True

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

    def _answer(self, call: "Call") -> tuple[Answer, bool]:
        """Return the answer, and whether all of its headers are ours."""
        try:
            pending = self._admit(call)
            answer = pending.answer()
        except Exception as error:  # noqa: BLE001 - told and logged
            return _failed(call, error), True
        plain = not pending.waits_for_end and answer.status not in WITHOUT_BODY
        return answer, plain

    def _admit(self, call: "Call") -> Pending:
        body = bodies.read(call.environ, self._services.max_body)
        return self._services.receiver.admit(call.delivery(body))

    def _reply(self, call: "Call", reply: Reply, answer: Answer) -> None:
        self._count(call, answer)
        reply(line(answer.status), self._fields(call, answer), answer.body)

    def _count(self, call: "Call", answer: Answer) -> None:
        seconds = time.monotonic() - call.began
        rule = RULES[bool(call.path)]
        self._services.metrics.http_request(rule, "POST", answer.status, seconds)

    def _fields(self, call: "Call", answer: Answer) -> list[tuple[str, str]]:
        """Write the headers of an answer that Sluice itself gives."""
        headers = {
            "Content-Type": "text/html; charset=utf-8",  # Flask's, if nothing is said
            **FOREIGN,
            **answer.headers,
        }
        return requests.fields(
            headers, call.request_id, len(answer.body), is_https=self._is_https(call)
        )

    def _careful(self, call: "Call", answer: Answer) -> Response:
        """Make a response of what a workflow may have written as it likes."""
        response = Response(answer.body, answer.status, answer.headers)
        response.headers.update(FOREIGN)
        requests.dress(response, call.request_id, is_https=self._is_https(call))
        return response

    def _is_https(self, call: "Call") -> bool:
        return call.environ["wsgi.url_scheme"] == "https" or self._services.is_https


@dataclass(frozen=True, slots=True)
class Call:
    """One request that is taken past Flask."""

    environ: Environ
    token: str
    path: str  # what follows the token
    request_id: str
    began: float

    @classmethod
    def of(cls, environ: Environ) -> Self:
        """Read what is needed of every request."""
        path = environ["PATH_INFO"].encode("latin-1").decode(errors="replace")
        token, slash, more = path[len(HOOKS) :].partition("/")
        request_id = requests.id_of(environ.get("HTTP_X_REQUEST_ID", ""))
        return cls(environ, token, slash + more, request_id, time.monotonic())

    @contextmanager
    def logged(self) -> Iterator[None]:
        """Name the request in the lines of a block."""
        logs.clear()
        logs.bind(request_id=self.request_id)
        try:
            yield
        finally:
            logs.clear()

    def delivery(self, body: bytes | Problem) -> Delivery:
        """Make what the receiver judges."""
        return Delivery(
            token=self.token,
            method="POST",
            path=self.path,
            query=self.environ.get("QUERY_STRING", ""),
            headers=requests.headers_of(self.environ),
            body=body,
            request_id=self.request_id,
            received_at=times.now(),
            client=requests.socket_of(self.environ),
        )


def _failed(call: Call, error: Exception) -> Answer:
    log.error("Request failed", exc_info=error)
    told = Pending.told(problems.internal(), call.request_id)
    return replace(told, headers={**requests.CAREFUL, **told.headers})


def line(status: int) -> str:
    """Write a status as WSGI wants it."""
    return f"{status} {HTTP_STATUS_CODES[status].upper()}"
