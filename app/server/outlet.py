"""The way out of a connection, on which a slow reader holds no thread."""

import select
import socket
import threading


class Gone(ConnectionError):
    """The client took nothing for too long, or is no longer there."""


class Budget:
    """Bytes that all connections of a worker may keep in memory together."""

    def __init__(self, limit: int) -> None:
        self._limit, self._used = limit, 0
        self._lock = threading.Lock()

    @property
    def used(self) -> int:
        """Bytes kept now."""
        return self._used

    def take(self, count: int) -> bool:
        """Set `count` bytes aside, or say that there is no room; below 0 gives back."""
        with self._lock:
            if count > 0 and self._used + count > self._limit:
                return False
            self._used += count
            return True


class Outlet:
    """What gunicorn's response writes to, in place of the socket.

    What the kernel does not take at once is kept for the event loop to send; only
    when that is more than `room` does the thread wait. When the budget of all slow
    readers is used up the client is given up instead, so that they cannot hold the
    threads either. A thread writes while its request runs and the loop at all other
    times, never both.

    Args:
        sock: the client's, non-blocking.
        budget: shared by all connections.
        room: bytes kept here at most.
        patience: seconds for which the client may take nothing.
    """

    def __init__(
        self, sock: socket.socket, budget: Budget, *, room: int, patience: float
    ) -> None:
        self._sock, self._budget = sock, budget
        self._room, self._patience = room, patience
        self._unsent = bytearray()

    @property
    def pending(self) -> int:
        """Bytes that wait for the client to read."""
        return len(self._unsent)

    def fileno(self) -> int:
        """Let a handler watch with `poll` whether the client is still there."""
        return self._sock.fileno()

    def sendall(self, data: bytes) -> None:
        """Send, or keep, all of `data`.

        Raises:
            Gone: the client does not take it.
        """
        rest = memoryview(data)
        while rest:
            rest = rest[self._offer(rest) :]
            if not rest or self._keep(rest):
                return
            self._await_room()
            self.flush()

    def send(self, data: bytes) -> int:
        """Do as `sendall` does."""
        self.sendall(data)
        return len(data)

    def try_send(self, data: bytes) -> None:
        """Send what the kernel takes at once, and forget the rest; never waits."""
        self._offer(memoryview(data))

    def flush(self) -> int:
        """Send of what was kept as much as the kernel takes, and count it."""
        with memoryview(self._unsent) as kept:
            sent = self._push(kept)
        del self._unsent[:sent]
        self._budget.take(-sent)
        return sent

    def discard(self) -> None:
        """Forget what was kept: nobody will read it."""
        self._budget.take(-len(self._unsent))
        self._unsent.clear()

    def _offer(self, data: memoryview) -> int:
        return 0 if self._unsent else self._push(data)  # what was kept goes first

    def _push(self, data: memoryview) -> int:
        try:
            return self._sock.send(data)
        except (BlockingIOError, InterruptedError):
            return 0
        except OSError as error:
            raise Gone("the client closed the connection") from error

    def _keep(self, rest: memoryview) -> bool:
        if len(self._unsent) + len(rest) > self._room:
            return False
        if not self._budget.take(len(rest)):
            raise Gone("other slow readers fill the memory set aside for them")
        self._unsent += rest
        return True

    def _await_room(self) -> None:
        watch = select.poll()
        watch.register(self._sock, select.POLLOUT)
        if not watch.poll(self._patience * 1000):
            raise Gone("the client read nothing for too long")
