"""The life of a worker process: start, execute until told to stop, drain."""

import logging
import os
import signal
import sys
import time
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field

from app import factory
from app.domain.errors import ServiceError
from app.factory import Workshop
from app.server import process
from app.settings import Settings, forget
from app.worker.health import Health, serve

log = logging.getLogger(__name__)
STOPS = frozenset({signal.SIGTERM, signal.SIGINT})
HALT = 3  # the exit code of what cannot start, as gunicorn's
MARGIN = 2.0  # seconds of the drain that belong to the last writes
PAUSE = 0.1  # seconds between two looks


class Draining(ServiceError):
    """The process is stopping."""

    code = "draining"


def main(env: Mapping[str, str] = os.environ) -> int:
    """Execute until a signal comes; does not return, for threads may linger.

    Raises:
        SystemExit: 0 drained, 1 taken for dead by others, 3 not started.
    """
    # before any thread: each inherits it, so that the signals wait for `sigwait`
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
    process.write_privately()
    process.save_memory()
    process.raise_open_files()
    try:
        sys.exit(_run(env))
    except SystemExit:
        process.leave()
        raise


def _run(env: Mapping[str, str]) -> int:
    try:
        settings = Settings.from_env(env)
        process.keep_secrets(sealed=settings.production)
        if isinstance(env, MutableMapping):
            forget(env)
        life = Life(factory.create_worker(settings))
    except ValueError as error:
        sys.stderr.write(f"A setting is wrong, so nothing starts: {error}\n")
        return HALT
    life.begin(settings, port=settings.port if env.get("PORT") else None)
    signal.sigwait(STOPS)
    life.end(settings.drain_timeout)
    return 1 if life.workshop.lost.is_set() else 0


@dataclass(slots=True)
class Life:
    """One worker from its start to its end."""

    workshop: Workshop
    draining: bool = field(default=False, init=False)

    def begin(self, settings: Settings, *, port: int | None) -> None:
        """Start to execute, and to tell how it goes.

        Raises:
            SystemExit: the store or the port cannot be used.
        """
        self.workshop.start()
        self.workshop.listener.start()
        if port is not None:
            self._tell(settings, port)
        process.settle()
        log.info("Worker started", extra={"threads": settings.pool_workers})

    def end(self, seconds: float) -> None:
        """Finish what runs, hand the rest back.

        A second signal interrupts at once.
        """
        began, self.draining = time.monotonic(), True
        margin = min(MARGIN, seconds / 2)
        engine = self.workshop.engine
        self.workshop.listener.stop()
        engine.begin_drain()
        self._wait(began + seconds - margin)
        interrupted = engine.running()
        if interrupted:
            engine.abort()
            self._wait(time.monotonic() + margin / 2)
        engine.stop()
        log.info(
            "Drained",
            extra={
                "duration_ms": round((time.monotonic() - began) * 1000),
                "interrupted": interrupted,
                "overstayed": engine.running(),
            },
        )
        self.workshop.lines.stop()

    def _wait(self, until: float) -> None:
        """Wait until nothing runs, the time is up, or somebody loses patience."""
        while self.workshop.engine.running() and time.monotonic() < until:
            if signal.sigtimedwait(STOPS, PAUSE) is not None:
                return

    def _tell(self, settings: Settings, port: int) -> None:
        try:
            serve(self._health(settings), settings.host, port)
        except OSError as error:
            log.critical("The port cannot be used", extra={"reason": str(error)})
            self.end(0.0)
            raise SystemExit(HALT) from error

    def _check(self) -> None:
        if self.draining:
            raise Draining("This worker is stopping.")
        self.workshop.store.check()

    def _metrics(self) -> tuple[bytes, str]:
        self.workshop.vitals.show()
        return self.workshop.metrics.render()

    def _health(self, settings: Settings) -> Health:
        return Health(
            self._check,
            self._metrics,
            token=settings.metrics_token,
            hidden=settings.production,
        )
