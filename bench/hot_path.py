"""The way of events in one process, one after the other, from bytes to stored end.

Run by `bench/callgrind.py` below valgrind: between two marks, which are calls of C
functions that nothing else calls, it takes COUNT events. ``python -m bench.hot_path
sluice|bare COUNT`` alone runs it once; sluice then, between two more marks, tells once
more what events told metrics and traces, without the events.
"""

import logging
import os
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from http import HTTPStatus
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from gunicorn.config import Config
from gunicorn.http.message import Request
from gunicorn.http.unreader import IterUnreader

from app.engine import feeder, lifecycle
from app.engine.watching import Watchers
from app.factory import create_app
from app.server.answering import answer
from app.server.connection import Connection
from app.server.framer import Framer
from app.server.limits import Limits
from app.server.outlet import Budget, Outlet
from app.server.swift import Swift
from app.settings import Settings
from app.store.sql import writer
from app.web import doors
from bench import bare, event
from bench.recording import Recording

WARM = 30  # events before the first mark: caches fill, code specializes
ENDS = (("127.0.0.1", 40_000), ("127.0.0.1", 8000))
CONFIG = {
    "http_parser": "python",
    "limit_request_line": 4094,
    "limit_request_fields": 64,
    "limit_request_field_size": 8190,
    "forwarded_allow_ips": "",
    "forwarder_headers": "",
    "secure_scheme_headers": {},
}
App = Callable[..., Any]


class Wire:
    """A connection to the worker's own code, with no event loop behind it."""

    def __init__(
        self, app: App, taker: App | None = None, taken: Sequence[str] = ()
    ) -> None:
        self._app = app
        self._cfg = Config()
        for name, value in CONFIG.items():
            self._cfg.set(name, value)
        limits = Limits()
        ours, self._theirs = socket.socketpair()
        self._calls: SimpleQueue[tuple[Any, ...]] = SimpleQueue()
        self._swift = taker and Swift(
            taker,
            paths=taken,
            cfg=self._cfg,
            defer=lambda *call: self._calls.put(call),
            answered=lambda _, **__: None,
            is_ending=lambda: False,
        )
        self._conn = Connection(
            ours,
            ENDS,
            framer=Framer(self._parse, limits),
            outlet=Outlet(
                ours, Budget(limits.unsent), room=limits.max_unsent, patience=5
            ),
            budget=Budget(limits.received),
        )

    def post(self, path: str) -> None:
        """Send one event; it must be accepted."""
        self._conn.request = self._conn.framer.feed(event.request(path))
        if self._swift and self._swift.take(self._conn):
            call, *arguments = self._calls.get(timeout=60)
            call(*arguments)
        else:
            answer(
                self._conn,
                self._app,
                cfg=self._cfg,
                is_ending=lambda: False,
                leave=lambda: None,
            )
        self._conn.framer.forget()
        told = self._theirs.recv(65_536)
        if not told.startswith(b"HTTP/1.1 202 "):
            raise SystemExit(f"not accepted: {told[:400]!r}")

    def _parse(self, head: bytes) -> Request:
        return Request(self._cfg, IterUnreader([head]), ENDS[0])


class Ends(logging.Handler):
    """Waits for the line that tells of an execution's stored end."""

    def __init__(self) -> None:
        super().__init__()
        self._seen = threading.Semaphore(0)

    def emit(self, _: logging.LogRecord) -> None:
        self._seen.release()

    def wait(self) -> None:
        """Wait for the next one."""
        if not self._seen.acquire(timeout=600):  # counted below valgrind, others busy
            raise SystemExit("an execution did not end")


def sluice(stack: ExitStack) -> Callable[[], None]:
    """Start the service over a file, and return what brings one event to its end."""
    # what is done each second is no event's
    lifecycle.BEAT = lifecycle.CHORES = feeder.GLANCE = 3600.0
    doors.TTL = 3600.0
    # a start shares its end's commit, which waits for nothing, on any machine
    writer.PATIENCE = 60.0
    setattr(Watchers, "is_watched", lambda *_: True)  # noqa: B010 - mypy would mind
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
    app = create_app(Settings(data_dir=folder / "data", signup="open"))
    app.extensions["start"]()
    engine = app.extensions["drain"]
    for end in (engine.stop, engine.abort, engine.begin_drain):
        stack.callback(end)
    ends = Ends()
    logging.getLogger("app.engine.report").addHandler(ends)
    sys.setswitchinterval(1000)  # threads take turns only where they wait
    wire = Wire(app, app.extensions.get("taker"), app.extensions.get("taken", ()))
    path = _hook(app)

    def one() -> None:
        wire.post(path)
        ends.wait()

    return one


def bare_flask() -> Callable[[], None]:
    """Return what has a bare Flask route answer once."""
    wire = Wire(bare.flask)
    return lambda: wire.post("/hooks/token")


def _hook(app: Any) -> str:
    client = app.test_client()
    person = {
        "email": "bench@example.com",
        "password": "correct horse battery",
        "tenant": "Bench",
    }
    key = client.post("/api/v1/auth/register", json=person).json["api_key"]
    made = client.post(
        "/api/v1/workflows",
        json={"name": "Bench", "definition": event.workflow()},
        headers={"Authorization": f"Bearer {key}"},
    )
    if made.status_code != HTTPStatus.CREATED:
        raise SystemExit(made.text)
    url: str = made.json["webhook_url"]
    return url.removeprefix("http://localhost:8000")


def marked(do: Callable[[], None], times: int) -> None:
    """Do something between two marks."""
    os.getloadavg()  # the first mark
    for _ in range(times):
        do()
    os.ctermid()  # the second


def main(what: str, count: int) -> None:
    """Take events between two marks."""
    with ExitStack() as stack:
        one = sluice(stack) if what == "sluice" else bare_flask()
        for _ in range(WARM):
            one()
        marked(one, count)
        if what == "sluice":
            with Recording() as recording:
                for _ in range(count):
                    one()
            recording.play()  # warm, too
            marked(recording.play, 1)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
