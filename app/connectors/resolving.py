"""Names become addresses, in threads that a caller need not wait for."""

import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address

from app.domain.context import ExecutionContext
from app.domain.errors import StepFailed

LOOKUPS = 64  # that may be under way at once, abandoned ones included


@dataclass(frozen=True, slots=True)
class Target:
    """One address that a name stands for, as the socket wants it."""

    family: int
    sockaddr: tuple[str, int] | tuple[str, int, int, int]

    @property
    def address(self) -> IPv4Address | IPv6Address:
        """The bare address, without port and zone."""
        return ip_address(self.sockaddr[0].partition("%")[0])


Lookup = Callable[[str, int], list[Target]]


def system_lookup(host: str, port: int, *, flags: int = 0) -> list[Target]:
    """Ask the operating system.

    Raises:
        OSError: there is no such name, or nobody answers.
        UnicodeError: a label of the name is empty or too long.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)
    return [Target(family, address) for family, _, _, _, address in found]  # type: ignore[arg-type]  # IP families only


@dataclass(slots=True)
class _Answer:
    done: threading.Event = field(default_factory=threading.Event)
    targets: list[Target] = field(default_factory=list)


class Resolver:
    """Looks names up for calls that can be stopped; thread-safe.

    A lookup cannot be interrupted, so a caller that is stopped or out of time
    leaves it behind. When `limit` of them hang, further ones fail at once.
    """

    def __init__(self, *, lookup: Lookup = system_lookup, limit: int = LOOKUPS) -> None:
        self._lookup = lookup
        self._seats = threading.BoundedSemaphore(limit)

    def resolve(
        self, context: ExecutionContext, host: str, port: int, seconds: float
    ) -> list[Target]:
        """Return every address of the host, at least one.

        Raises:
            StepFailed: no such name, or no answer in so many seconds.
            Cancelled, Interrupted, DeadlineExceeded: from the context.
        """
        try:
            return system_lookup(host, port, flags=socket.AI_NUMERICHOST)
        except (OSError, UnicodeError):
            answer = self._ask(context, host, port, seconds)
        if not answer.targets:
            raise StepFailed(
                "connect-failed", f"no address found for {host}", retryable=True
            )
        return answer.targets

    def _ask(
        self, context: ExecutionContext, host: str, port: int, seconds: float
    ) -> _Answer:
        answer = _Answer()
        with context.woken_by(answer.done.set):
            self._start(answer, host, port)
            ended = answer.done.wait(min(seconds, context.remaining()))
        context.check()
        if not ended:
            message = f"no address found for {host} within {seconds:g} s"
            raise StepFailed("timeout", message, retryable=True)
        return answer

    def _start(self, answer: _Answer, host: str, port: int) -> None:
        if not self._seats.acquire(blocking=False):
            message = f"no address found for {host}: too many lookups hang already"
            raise StepFailed("connect-failed", message, retryable=True)
        args = (answer, host, port)
        threading.Thread(target=self._look_up, args=args, daemon=True).start()

    def _look_up(self, answer: _Answer, host: str, port: int) -> None:
        try:
            answer.targets = self._lookup(host, port)
        except (OSError, UnicodeError):
            answer.targets = []
        finally:
            self._seats.release()
            answer.done.set()
