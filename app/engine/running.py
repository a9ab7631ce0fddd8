"""What runs in this process."""

import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from app.domain.context import ExecutionContext


class Running:
    """The contexts of running executions: the way to stop them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._contexts: dict[str, ExecutionContext] = {}
        self._closed = False
        self._welcome: frozenset[str] = frozenset()

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
            admitted = not self._closed or context.execution_id in self._welcome
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

    def close(self, *, but: Collection[str] = ()) -> None:
        """Let nothing more start, but the executions that are named."""
        with self._lock:
            self._closed = True
            self._welcome = frozenset(but)

    def interrupt(self) -> None:
        """Ask everything to stop here and go on in another process."""
        with self._lock:
            contexts = list(self._contexts.values())
        for context in contexts:
            context.interrupt()
