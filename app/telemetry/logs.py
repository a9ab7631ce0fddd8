"""Logs: one JSON object a line on stdout, with what is known about the work at hand."""

import logging
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from logging.handlers import QueueHandler, QueueListener
from queue import Full, Queue

from app.domain.masking import Mask, without_named
from app.server.jsonlog import JsonLogFormatter

WAITING_LINES = 10_000  # lines kept while stdout is blocked; later ones are dropped

_facts: ContextVar[dict[str, str] | None] = ContextVar("facts", default=None)
_mask: ContextVar[Mask | None] = ContextVar("mask", default=None)
_OWN = frozenset({*vars(logging.makeLogRecord({})), "message", "asctime"})


def bind(**facts: str | None) -> None:
    """Add to what each line of this context says, such as ``tenant_id``."""
    known = {name: value for name, value in facts.items() if value is not None}
    if known:
        _facts.set((_facts.get() or {}) | known)


def clear() -> None:
    """Forget what was bound: the next work of this thread is another."""
    _facts.set(None)


@contextmanager
def bound(**facts: str | None) -> Iterator[None]:
    """Bind for the length of a block."""
    before = _facts.get()
    bind(**facts)
    try:
        yield
    finally:
        _facts.set(before)


@contextmanager
def hiding(mask: Mask) -> Iterator[None]:
    """Keep values out of what is logged in a block, also those that are added later."""
    before = _mask.set(mask)
    try:
        yield
    finally:
        _mask.reset(before)


class Stdout(logging.Handler):
    """Writes to whatever standard output is when the line is written."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stdout.write(self.format(record) + "\n")
            sys.stdout.flush()
        except Exception:  # noqa: BLE001  what a handler does with its own failure
            self.handleError(record)


class Lines(QueueHandler):
    """Hands records to a thread that writes them, so that no request waits for stdout.

    When stdout is blocked for so long that the queue is full, lines are dropped
    and counted rather than the service stopped.
    """

    def __init__(self) -> None:
        super().__init__(Queue(WAITING_LINES))
        self.dropped = 0
        self._out = Stdout()
        self._out.setFormatter(JsonLogFormatter())
        self._listener: QueueListener | None = None

    def start(self) -> None:
        """Begin to write from a thread; after the fork."""
        if self._listener is None:
            self._listener = QueueListener(self.queue, self._out)
            self._listener.start()

    def stop(self) -> None:
        """Write what waits, then write directly."""
        if self._listener is not None:
            self._listener.stop()
            self._listener = None

    def close(self) -> None:
        """Lose no line at the end of the process."""
        self.stop()
        super().close()

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        for name, value in (_facts.get() or {}).items():
            record.__dict__.setdefault(name, value)
        extras = vars(record).keys() - _OWN
        vars(record).update(
            without_named({each: vars(record)[each] for each in extras})
        )
        if mask := _mask.get():
            self._hide(record, mask, extras)
        return record

    def _hide(
        self, record: logging.LogRecord, mask: Mask, extras: Iterable[str]
    ) -> None:
        record.msg, record.args = mask.text(record.getMessage()), None
        for name in extras:
            vars(record)[name] = mask.value(vars(record)[name])
        if record.exc_info:
            trace = logging.Formatter().formatException(record.exc_info)
            record.exc_text, record.exc_info = mask.text(trace), None

    def enqueue(self, record: logging.LogRecord) -> None:
        if self._listener is None:
            self._out.handle(record)
            return
        try:
            self.queue.put_nowait(record)
        except Full:
            self.dropped += 1


def _has_origin(record: logging.LogRecord) -> bool:
    """Keep what says how an origin was judged; most requests have none."""
    told = record.getMessage()
    return "did not contain an 'Origin'" not in told and "MultiDict([])" not in told


def configure(*, level: str, debug_cors: bool) -> Lines:
    """Send every logger of the process through one handler, and return it."""
    lines = Lines()
    root = logging.getLogger()
    for handler in [*root.handlers]:
        if isinstance(handler, Lines):
            root.removeHandler(handler)
    root.addHandler(lines)
    root.setLevel(level)
    logging.getLogger("flask_cors").setLevel("DEBUG" if debug_cors else "WARNING")
    logging.getLogger("flask_cors.core").addFilter(_has_origin)
    for chatty in ("alembic", "httpcore2", "httpx2"):
        logging.getLogger(chatty).setLevel("WARNING")
    return lines
