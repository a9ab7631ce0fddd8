"""What came in with the executions that are about to run here."""

import threading
from collections import OrderedDict

from app.domain.execution import Payload
from app.store.protocol import Executions

SMALL = 64 << 10  # bytes of a body that is kept
ENVELOPE = 4 << 10  # bytes that describe a body, about
ROOM = 8 << 20  # bytes of all that are kept; the oldest make room


class Payloads:
    """Keeps small payloads between their commit and their start.

    The store has them all. Most executions start within milliseconds, and reading back
    what was just written costs more than all else that a start does.
    """

    def __init__(self, executions: Executions) -> None:
        self._executions = executions
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, Payload] = OrderedDict()
        self._size = 0

    def keep(self, execution_id: str, payload: Payload) -> None:
        """Keep a payload that is stored, if it is small."""
        if len(payload.body) > SMALL:
            return
        with self._lock:
            self._kept[execution_id] = payload
            self._size += _size(payload)
            while self._size > ROOM:
                _, oldest = self._kept.popitem(last=False)
                self._size -= _size(oldest)

    def take(self, tenant_id: str, execution_id: str) -> Payload:
        """Return a payload, and keep it no longer.

        Raises:
            NotFound: there is no such execution.
        """
        with self._lock:
            payload = self._kept.pop(execution_id, None)
            if payload is not None:
                self._size -= _size(payload)
                return payload
        return self._executions.payload(tenant_id, execution_id)


def _size(payload: Payload) -> int:
    return len(payload.body) + ENVELOPE
