"""Webhooks as the server's event loop takes them, without a server."""

from collections.abc import Callable, Iterable
from queue import SimpleQueue
from typing import Any

from flask import Flask

from app.server.swift import Taker
from app.web.services import Services

PATIENCE = 30.0  # seconds

Front = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Loop:
    """A WSGI application: what no loop takes goes to a thread, as in the server."""

    def __init__(self, front: Front, taker: Taker, services: Services) -> None:
        self._front, self._taker, self._services = front, taker, services
        self.taken = 0

    @classmethod
    def of(cls, app: Flask) -> "Loop":
        """Stand before a whole service."""
        return cls(app.wsgi_app, app.extensions["taker"], app.extensions["services"])

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        token = environ["PATH_INFO"].removeprefix("/hooks/").partition("/")[0]
        self._services.doors.find(token)  # as a request before this one has
        answers: SimpleQueue[tuple[Any, ...]] = SimpleQueue()
        if not self._taker(environ, lambda *said, **_: answers.put(said)):
            return self._front(environ, start_response)
        self.taken += 1
        status, fields, body = answers.get(timeout=PATIENCE)
        start_response(status, fields)
        return (body,)
