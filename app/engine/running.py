"""What runs in this process."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from app.domain.context import ExecutionContext


def _nobody(_: str) -> bool:
    return False


class Running:
    """The contexts of running executions: the way to stop them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._contexts: dict[str, ExecutionContext] = {}
        self._since: dict[str, float] = {}
        self._closed = False
        self._welcome: Callable[[str], bool] = _nobody

    @property
    def closed(self) -> bool:
        """Whether nothing more may start."""
        return self._closed

    def __len__(self) -> int:
        return len(self._contexts)

    def longest(self) -> float:
        """Seconds since the start of what has been running here the longest."""
        with self._lock:
            first = min(self._since.values(), default=None)
        return 0.0 if first is None else time.monotonic() - first

    def admits(self, execution_id: str) -> bool:
        """Tell whether an execution may start now."""
        return not self._closed or self._welcome(execution_id)

    @contextmanager
    def entered(self, context: ExecutionContext) -> Iterator[bool]:
        """Hold a context while its execution runs; False when nothing may start."""
        with self._lock:
            admitted = self.admits(context.execution_id)
            if admitted:
                self._contexts[context.execution_id] = context
                self._since[context.execution_id] = time.monotonic()
        try:
            yield admitted
        finally:
            with self._lock:
                self._contexts.pop(context.execution_id, None)
                self._since.pop(context.execution_id, None)

    def cancel(self, execution_id: str) -> None:
        """Ask an execution to stop, if it runs here."""
        with self._lock:
            context = self._contexts.get(execution_id)
        if context is not None:
            context.cancel()

    def close(self, *, but: Callable[[str], bool] = _nobody) -> None:
        """Let nothing more start, but the executions for which `but` says so."""
        with self._lock:
            self._closed = True
            self._welcome = but

    def interrupt(self) -> None:
        """Ask everything to stop here and go on in another process."""
        with self._lock:
            contexts = list(self._contexts.values())
        for context in contexts:
            context.interrupt()
