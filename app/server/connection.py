"""One client's connection: its socket, what has come, what must go, until when."""

import enum
import socket
from typing import Any

from app.server.framer import Framer
from app.server.outlet import Budget, Outlet


class Phase(enum.Enum):
    """What a connection is waited for."""

    READING = enum.auto()  # the rest of a request, or the first byte of one
    SERVING = enum.auto()  # a thread that answers
    WRITING = enum.auto()  # a client that reads the rest of its answer
    LINGERING = enum.auto()  # a client that notices that we are done
    CLOSED = enum.auto()  # nothing


class Connection:
    """State of one connection; the event loop's but for the request being served.

    Args:
        sock: the client's, just accepted.
        ends: the client's address and the one it came to, as gunicorn has them.
        framer: takes its requests apart.
        outlet: takes its answers.
        budget: what the framer holds is counted here.
    """

    def __init__(
        self,
        sock: socket.socket,
        ends: tuple[Any, Any],
        *,
        framer: Framer,
        outlet: Outlet,
        budget: Budget,
    ) -> None:
        sock.settimeout(0)
        self.sock = sock
        self.client, self.server = ends
        self.framer, self.outlet, self._budget = framer, outlet, budget
        self.phase = Phase.READING
        self.since = 0.0  # when this phase began, on the loop's clock
        self.deadline = 0.0  # when it is over, whatever the client does
        self.request: Any = None  # gunicorn's, while it is served
        self.keep = False  # whether another request may follow the one served
        self.watched = 0  # the events for which the poller watches the socket
        self.discarded = 0  # bytes thrown away while lingering
        self._counted = 0

    @property
    def idle(self) -> bool:
        """Whether the client owes us nothing and we owe it nothing."""
        return self.phase is Phase.READING and self.framer.idle

    def count(self) -> bool:
        """Bring the budget up to what is held; False if there is no room for it."""
        held = self.framer.held
        if not self._budget.take(held - self._counted):
            return False
        self._counted = held
        return True

    def clear(self) -> None:
        """Give back all memory: nothing more is read or sent."""
        self.framer.clear()
        self.outlet.discard()
        self.count()

    def close(self) -> None:
        """Close the socket and give back all memory."""
        self.phase = Phase.CLOSED
        self.clear()
        self.sock.close()

    def half_close(self) -> bool:
        """Tell the client that nothing more comes; False if it has left already."""
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            return False
        return True
