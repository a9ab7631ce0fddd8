"""Passwords: argon2id, few at a time."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from argon2 import PasswordHasher

from app.domain.errors import Overloaded

MIN_LENGTH = 8  # characters
MAX_BYTES = 1024
AT_ONCE = 2  # hashes: each takes 19 MiB and a core for about 60 ms
PATIENCE = 5.0  # seconds to wait for one's turn


class Hasher(Protocol):
    """Something slow."""

    def hash(self, password: str) -> str: ...


class Passwords:
    """Hashes passwords, with the parameters that OWASP recommends for argon2id.

    Hashing is dear on purpose, so at most `AT_ONCE` hashes are made at a time: a
    flood of them must not take the machine from the webhooks.
    """

    def __init__(
        self, hasher: Hasher | None = None, *, patience: float = PATIENCE
    ) -> None:
        self._hasher = hasher or PasswordHasher(
            time_cost=2, memory_cost=19 * 1024, parallelism=1
        )
        self._turns = threading.BoundedSemaphore(AT_ONCE)
        self._patience = patience

    def hash(self, password: str) -> str:
        """Return what to store, salt and parameters included.

        Raises:
            Overloaded: too many hashes are wanted at once.
        """
        with self._turn():
            return self._hasher.hash(password)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._turns.acquire(timeout=self._patience):
            raise Overloaded("Too many people sign in or up at once; try again.")
        try:
            yield
        finally:
            self._turns.release()
