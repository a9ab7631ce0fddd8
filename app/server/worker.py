"""The gunicorn worker: threads that never wait for a client.

The master imports this module, and a HUP does not reload it: it knows nothing of the
application but `wsgi`, and what that offers under `extensions`:

- ``start``: called once, after the fork, before the first request;
- ``drain``: an `Engine`, told when the process ends;
- ``taker``: a `Taker`, if some requests need no thread, and ``taken``: what their
  paths begin with;
- ``caller``: a `Namer`, if requests take turns;
- ``server``: set here, the `Tally` of what the event loop refused.
"""

import logging
import os
import selectors
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any

import gunicorn
from gunicorn.arbiter import Arbiter
from gunicorn.http.message import Request
from gunicorn.http.unreader import IterUnreader
from gunicorn.workers.gthread import ThreadWorker

from app.server import process
from app.server.answering import answer
from app.server.calls import Calls
from app.server.connection import Connection
from app.server.counts import CountsFolder
from app.server.drain import Drain, Engine, Idle
from app.server.limits import Limits
from app.server.swift import Swift
from app.server.traffic import Traffic
from app.server.turns import Namer, Turns, places
from app.server.watchdog import Watchdog

log = logging.getLogger(__name__)
SERIES = "27.0."  # of gunicorn, whose internals this was tested with
PAUSE = 0.25  # seconds between two looks at deadlines, at most
BATCH = 64  # connections accepted before others get their turn
REST = 1.0  # seconds without accepting after an accept that failed


class DeadlineWorker(ThreadWorker):
    """A gthread worker whose event loop reads whole requests before a thread is taken.

    gunicorn's own gthread lets a slow client hold a thread for as long as it likes;
    docs/decisions/0005-deadline-worker.md says more.
    """

    counts = CountsFolder  # what the master makes for its workers
    keep_secrets = staticmethod(process.keep_secrets)  # what it does first
    limits = Limits()
    poller: selectors.BaseSelector
    tpool: ThreadPoolExecutor
    traffic: Traffic
    swift: Swift | None = None
    turns: Turns
    rests_until = 0.0  # when to accept again after an accept that failed
    hurried = False  # whether the process must end without waiting for anybody

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)  # type: ignore[no-untyped-call]
        self.method_queue = Calls()  # type: ignore[assignment]  # of the same methods

    @classmethod
    def check_config(cls, cfg: Any, _: Any) -> None:
        """Refuse, in the master, what this worker cannot serve.

        Raises:
            RuntimeError: says what to change.
        """
        if not gunicorn.__version__.startswith(SERIES):
            raise RuntimeError(
                f"gunicorn {gunicorn.__version__} is installed, but this worker was"
                f" tested with {SERIES}* only; install gunicorn=={SERIES}1."
            )
        if cfg.is_ssl or cfg.http2_cleartext != "off" or cfg.proxy_protocol != "off":
            raise RuntimeError(
                "This worker speaks plain HTTP/1.1; let a proxy speak TLS and HTTP/2,"
                " and turn proxy_protocol off."
            )

    def limit(self, **changes: Any) -> None:
        """Replace some of the limits, before the process begins to serve."""
        self.limits = replace(self.limits, **changes)

    def get_thread_pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self.cfg.threads, thread_name_prefix="request")

    @property
    def extensions(self) -> dict[str, Any]:
        """What the application offers, and is offered."""
        found: dict[str, Any] = getattr(self.wsgi, "extensions", {})
        return found

    @property
    def engine(self) -> Engine:
        """What runs executions in this process."""
        engine: Engine = self.extensions.get("drain") or Idle()
        return engine

    def start_engine(self) -> None:
        """Start what works in the background, or end the whole server.

        The exit code makes the master stop, rather than start workers for ever.
        """
        start: Callable[[], None] | None = self.extensions.get("start")
        process.write_privately()
        process.save_memory()
        try:
            if start:
                start()
        except Exception:
            log.critical("The engine did not start, so the server stops", exc_info=True)
            sys.exit(Arbiter.WORKER_BOOT_ERROR)
        process.settle()

    def run(self) -> None:
        """Serve until told to stop, then drain."""
        self._prepare()
        while self.alive and self.is_parent_alive():
            self.turn(PAUSE)
        self.alive = False
        Drain(self, self.engine, seconds=self.limits.drain).run()
        self.tpool.shutdown(wait=False, cancel_futures=True)
        self.watchdog.stop()

    def _prepare(self) -> None:
        process.raise_open_files()
        self.log.follow_root()
        self.watchdog = Watchdog()
        self.watchdog.start()
        self.traffic = Traffic(
            self.poller,
            limits=self.limits,
            parse=self._parse,
            serve=self._serve,
        )
        self.swift = self._make_swift()
        self.turns = Turns(
            places(self.cfg.threads),
            begin=self.enqueue_req,
            refuse=self.traffic.refuse,
        )
        self.extensions["server"] = self.traffic.tally
        queue = self.method_queue
        self.poller.register(queue.fileno(), selectors.EVENT_READ, queue.run_callbacks)

    def _make_swift(self) -> Swift | None:
        taker = self.extensions.get("taker")
        return taker and Swift(
            taker,
            paths=self.extensions["taken"],
            cfg=self.cfg,
            defer=self.method_queue.defer,
            answered=self.traffic.answered,
            is_ending=lambda: not self.alive,
        )

    def _serve(self, conn: Connection) -> None:
        """Take a request here, or give it to a thread."""
        if self.swift and self.swift.take(conn):
            return
        name: Namer | None = self.extensions.get("caller")
        request = conn.request
        caller = name and name(request.path, request.headers, conn.client)
        self.turns.come(conn, caller)

    def turn(self, patience: float) -> None:
        """Go round the loop once: events, or `patience` seconds, then deadlines."""
        self.notify()
        if self.alive:
            rested = time.monotonic() >= self.rests_until
            self.set_accept_enabled(rested and self.traffic.has_room)
        self.wait_for_and_dispatch_events(patience)
        self.traffic.tick()
        self.turns.tick()
        if self.swift:
            self.swift.tick()
        self.watchdog.beat()

    def accept(self, listener: Any) -> None:
        """Take some of the connections that wait, as long as there is room."""
        for _ in range(BATCH):
            if not self.traffic.has_room or not self._accept_one(listener):
                return

    def close_door(self) -> None:
        """Take every connection that waits, then close this process's listeners.

        On a reload the master and the new workers still hold them; at the end of the
        server what comes later is refused at once rather than left without an answer.
        """
        self.set_accept_enabled(False)
        for listener in self.sockets:
            while self._accept_one(listener):
                pass
            listener.close()

    def _accept_one(self, listener: Any) -> bool:
        try:
            sock, client = listener.accept()
        except (BlockingIOError, ConnectionAbortedError, InterruptedError):
            return False
        except OSError as error:  # out of descriptors or memory
            log.warning("No connection can be accepted: %s", error.strerror)
            self.rests_until = time.monotonic() + REST
            return False
        self.traffic.admit(sock, client, listener.getsockname())
        return True

    def _parse(self, head: bytes, client: Any) -> Any:
        return Request(self.cfg, IterUnreader([head]), client)

    def handle(self, conn: Connection) -> bool:
        """Serve one request; runs in a request thread."""
        return answer(
            conn,
            self.wsgi,
            cfg=self.cfg,
            is_ending=lambda: not self.alive,
            leave=partial(self.method_queue.defer, self.turns.leave, conn),
        )

    def finish_request(self, conn: Connection, fs: Future[bool]) -> None:
        """Go on with a connection that was served; runs on the event loop."""
        self.turns.leave(conn)
        served = not fs.cancelled() and fs.exception() is None
        self.traffic.answered(conn, keep=served and fs.result())

    def handle_quit(self, sig: int, frame: Any) -> None:
        """End soon: interrupt what runs, wait for no request (SIGINT, SIGQUIT).

        gunicorn's own leaves by an exception in the middle of whatever runs, and then
        waits for every thread.
        """
        self.hurried = True
        self.handle_exit(sig, frame)

    def finish(self) -> None:
        """Do the last thing of this process; gunicorn's `worker_exit` hook.

        The master calls that hook too, for a worker that was gone already.
        """
        if str(os.getpid()) == str(self.pid):
            process.leave()
