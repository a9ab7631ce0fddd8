"""Logs: one JSON object a line on stdout, with what is known about the work at hand."""

import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from queue import SimpleQueue
from select import PIPE_BUF

from app.domain.masking import Mask, tells, without_named
from app.server.jsonlog import JsonLogFormatter, extras, is_simple

WAITING_LINES = 10_000  # lines kept while stdout is blocked; later ones are dropped

_facts: ContextVar[dict[str, str] | None] = ContextVar("facts", default=None)
_mask: ContextVar[Mask | None] = ContextVar("mask", default=None)


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


class Lines(logging.Handler):
    """Hands records to a thread that writes them, so that no request waits for stdout.

    When stdout is blocked for so long that too many lines wait, later ones are dropped
    and counted rather than the service stopped.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(JsonLogFormatter())
        self.dropped = 0
        self._waiting: SimpleQueue[logging.LogRecord | None] = SimpleQueue()
        self._writer: threading.Thread | None = None

    def start(self) -> None:
        """Begin to write from a thread; after the fork."""
        if self._writer is None:
            self._writer = threading.Thread(
                target=self._write_all, name="log", daemon=True
            )
            self._writer.start()

    def stop(self) -> None:
        """Write what waits, then write directly."""
        self.acquire()
        try:
            writer, self._writer = self._writer, None
            if writer is not None:
                self._waiting.put(None)
                writer.join()
        finally:
            self.release()

    def close(self) -> None:
        """Lose no line at the end of the process."""
        self.stop()
        super().close()

    def emit(self, record: logging.LogRecord) -> None:
        """Hand a record over, with what is known here and nowhere else."""
        try:
            _complete(record)
        except Exception:  # noqa: BLE001  what a handler does with its own failure
            self.handleError(record)
            return
        if self._writer is None:
            self._write(self._line(record))
        elif self._waiting.qsize() < WAITING_LINES:
            self._waiting.put(record)
        else:
            self.dropped += 1

    def _write_all(self) -> None:
        """Write lines as they come, those that wait together at once.

        No more than a pipe takes as a whole, whoever else writes to it.
        """
        text = ""
        for record in iter(self._waiting.get, None):
            line = self._line(record)
            if len(text) + len(line) > PIPE_BUF:
                self._write(text)
                text = ""
            text += line
            if self._waiting.empty():
                self._write(text)
                text = ""
        self._write(text)

    def _line(self, record: logging.LogRecord) -> str:
        try:
            return f"{self.format(record)}\n"
        except Exception:  # noqa: BLE001  what a handler does with its own failure
            self.handleError(record)
            return ""

    def _write(self, text: str) -> None:
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except Exception:  # noqa: BLE001
            self.handleError(logging.makeLogRecord({"msg": text}))


def _complete(record: logging.LogRecord) -> None:
    """Add what is bound, and hide what must not be seen."""
    said = vars(record)
    for name, value in (_facts.get() or {}).items():
        said.setdefault(name, value)
    added = extras(record)
    if any(map(tells, added)) or not is_simple(added):
        said.update(without_named(added))
    if mask := _mask.get():
        _hide(record, mask)


def _hide(record: logging.LogRecord, mask: Mask) -> None:
    record.msg, record.args = mask.text(record.getMessage()), None
    for name, value in extras(record).items():
        vars(record)[name] = mask.value(value)
    if record.exc_info:
        trace = logging.Formatter().formatException(record.exc_info)
        record.exc_text, record.exc_info = mask.text(trace), None


def _has_origin(record: logging.LogRecord) -> bool:
    """Keep what says how an origin was judged; most requests have none."""
    told = record.getMessage()
    return "did not contain an 'Origin'" not in told and "MultiDict([])" not in told


def configure(*, level: str, debug_cors: bool) -> Lines:
    """Send every logger of the process through one handler, and return it."""
    _ask_less()
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


def _ask_less() -> None:
    """Let records leave out what no line tells, as the logging HOWTO has it."""
    logging._srcfile = None  # noqa: SLF001 - a walk up the stack for each line
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
