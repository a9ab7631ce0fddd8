"""What runs in this process, and who waits for it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from app.domain.context import ExecutionContext


class Running:
    """The contexts of running executions: the way to stop them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._contexts: dict[str, ExecutionContext] = {}
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether nothing more may start."""
        return self._closed

    def __len__(self) -> int:
        return len(self._contexts)

    @contextmanager
    def entered(self, context: ExecutionContext) -> Iterator[bool]:
        """Hold a context while its execution runs; False when nothing may start."""
        with self._lock:
            admitted = not self._closed
            if admitted:
                self._contexts[context.execution_id] = context
        try:
            yield admitted
        finally:
            with self._lock:
                self._contexts.pop(context.execution_id, None)

    def cancel(self, execution_id: str) -> None:
        """Ask an execution to stop, if it runs here."""
        with self._lock:
            context = self._contexts.get(execution_id)
        if context is not None:
            context.cancel()

    def close(self) -> None:
        """Let nothing more start; once this returns, `len` only falls."""
        with self._lock:
            self._closed = True

    def interrupt(self) -> None:
        """Ask everything to stop here and go on in another process."""
        with self._lock:
            contexts = list(self._contexts.values())
        for context in contexts:
            context.interrupt()


class Watchers:
    """Threads that wait for an execution to reach a state where it stays."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._events: dict[str, set[threading.Event]] = {}

    @contextmanager
    def watching(self, execution_id: str) -> Iterator[threading.Event]:
        """Yield an event that is set when the execution is over in this process."""
        event = threading.Event()
        with self._lock:
            self._events.setdefault(execution_id, set()).add(event)
        try:
            yield event
        finally:
            with self._lock:
                events = self._events[execution_id]
                events.discard(event)
                if not events:
                    del self._events[execution_id]

    def tell(self, execution_id: str) -> None:
        """Wake whoever waits for this execution."""
        with self._lock:
            for event in self._events.get(execution_id, ()):
                event.set()
