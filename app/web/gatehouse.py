"""Stands before everything: whoever the gate refuses gets no further.

On an event loop nobody needs a thread to be refused; what may come in needs one.
"""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from app.server.swift import Reply
from app.telemetry import logs
from app.web import problems, requests
from app.web.front import Environ, Front, line
from app.web.gate import Gate
from app.web.problems import Problem
from app.web.services import Services

log = logging.getLogger(__name__)
PAUSE = 0.1  # seconds until a refusal is told: a flood that waits for it is slowed down
GUARDED = frozenset(  # what hashes passwords, for whoever asks
    f"/api/v1/auth/{each}"
    for each in ("login", "register", "accept-invitation", "password")
)


class Gatehouse:
    """A WSGI application that refuses what is too much, and hands on all else.

    Args:
        front: takes all else, on threads and on an event loop.
        services: what an endpoint would use.
    """

    def __init__(self, front: Front, services: Services) -> None:
        self.front, self._services = front, services

    def __call__(
        self, environ: Environ, start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer one request, on a thread."""
        if not _is_guarded(environ):
            return self.front(environ, start_response)
        refusal = self._gate.enter(_client(environ))
        if refusal is None:
            try:
                return self.front(environ, start_response)
            finally:
                self._gate.leave()
        status, fields, body = self._refuse(environ, refusal)
        start_response(status, fields)
        return (body,)

    def take(self, environ: Environ, reply: Reply) -> bool:
        """Answer one request on an event loop, unless it needs a thread."""
        if not _is_guarded(environ):
            return self.front.take(environ, reply)
        refusal = self._gate.look(_client(environ))
        if refusal is None:
            return False
        reply(*self._refuse(environ, refusal), after=PAUSE)
        return True

    @property
    def _gate(self) -> Gate:
        return self._services.gate

    def _refuse(
        self, environ: Environ, refusal: Problem
    ) -> tuple[str, list[tuple[str, str]], bytes]:
        """Count a refusal, and write it down."""
        began = time.monotonic()
        request_id = requests.id_of(environ.get("HTTP_X_REQUEST_ID", ""))
        with logs.bound(request_id=request_id):
            self._services.summed.warn(log, "Sign-in refused", code=refusal.code)
        body = refusal.document(request_id)
        fields = requests.fields(
            {
                "Content-Type": problems.MEDIA_TYPE,
                **refusal.headers,
                **self._readable(environ),
            },
            request_id,
            len(body),
            is_https=self._services.is_https or environ["wsgi.url_scheme"] == "https",
        )
        self._services.metrics.http_request(
            environ["PATH_INFO"], "POST", refusal.status, time.monotonic() - began
        )
        return line(refusal.status), fields, body

    def _readable(self, environ: Environ) -> Mapping[str, str]:
        """Let a page of another origin read the answer, if it may read any."""
        origin = environ.get("HTTP_ORIGIN")
        if origin is None or not self._services.cookies.allows(origin):
            return {}
        return {
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Allow-Credentials": "true",
            "Access-Control-Expose-Headers": ", ".join(requests.READABLE),
        }


def _is_guarded(environ: Environ) -> bool:
    return environ["PATH_INFO"] in GUARDED and environ["REQUEST_METHOD"] == "POST"


def _client(environ: Environ) -> str:
    return str(environ.get("REMOTE_ADDR") or "")
