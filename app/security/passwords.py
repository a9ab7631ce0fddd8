"""Passwords: argon2id, few at a time."""

import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Protocol, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from app.domain.errors import Overloaded

T = TypeVar("T")
MIN_LENGTH = 8  # characters
MAX_BYTES = 1024
NICE = 5  # of the threads that hash: events come first
AT_ONCE = 2  # hashes: each takes 19 MiB and a core for about 60 ms
PLACES = 8  # callers who hash or wait for it; each holds a request thread
PATIENCE = 5.0  # seconds to wait for one's turn
NOBODYS = (  # of a password that was thrown away; as dear to compare with as any other
    "$argon2id$v=19$m=19456,t=2,p=1$a"
    "C9sYjNuyXeZCAHqPlnfBQ$nHIXlAr6jLRk5IFea2eFhs1YkrjBzToygDSvp1JlbE4"
)


class Hasher(Protocol):
    """Something slow."""

    def hash(self, password: str) -> str: ...

    def verify(self, hash: str, password: str) -> bool:  # noqa: A002 - argon2's name
        """Return true, or raise `VerificationError`."""
        ...

    def check_needs_rehash(self, hash: str) -> bool: ...  # noqa: A002 - argon2's name


class Passwords:
    """Hashes passwords, with the parameters that OWASP recommends for argon2id.

    Hashing is dear on purpose, so at most `AT_ONCE` hashes are made at a time: a
    flood of them must not take the machine from the webhooks, nor their threads.

    Args:
        hasher: argon2id, but in tests.
        places: how many callers may hash or wait; all others are refused at once.
        patience: seconds that one waits for a turn.
    """

    def __init__(
        self,
        hasher: Hasher | None = None,
        *,
        places: int = PLACES,
        patience: float = PATIENCE,
    ) -> None:
        self._hasher = hasher or PasswordHasher(
            time_cost=2, memory_cost=19 * 1024, parallelism=1
        )
        self._places = threading.BoundedSemaphore(max(places, AT_ONCE))
        # Threads of their own: what a hash needs is kept for the thread that made it,
        # and every request thread would come to keep its 19 MiB.
        self._threads = ThreadPoolExecutor(
            AT_ONCE, thread_name_prefix="hash", initializer=_give_way
        )
        self._patience = patience

    def hash(self, password: str) -> str:
        """Return what to store, salt and parameters included.

        Raises:
            Overloaded: too many hashes are wanted at once.
        """
        return self._in_turn(lambda: self._hasher.hash(password))

    def verify(self, stored: str | None, password: str) -> bool:
        """Tell whether a password is the stored one; with none stored, as slowly.

        Raises:
            Overloaded: too many hashes are wanted at once.
        """
        is_right = self._in_turn(lambda: self._verify(stored or NOBODYS, password))
        return is_right and stored is not None

    def is_outdated(self, stored: str) -> bool:
        """Tell whether a hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(stored)

    def _verify(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False

    def _in_turn(self, work: Callable[[], T]) -> T:
        if not self._places.acquire(blocking=False):
            raise _too_many()
        try:
            return self._await(self._threads.submit(work))
        finally:
            self._places.release()

    def _await(self, hashing: "Future[T]") -> T:
        try:
            return hashing.result(self._patience)
        except TimeoutError:
            if hashing.cancel():
                raise _too_many() from None
        return hashing.result()  # it has its turn, and will not take long


def _give_way() -> None:
    """Give this thread a third of the share of others, where threads have their own."""
    with suppress(OSError):  # a sandbox may forbid it
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)


def _too_many() -> Overloaded:
    return Overloaded(
        "Too many people sign in or up at once; try again.", code="too-many-sign-ins"
    )
