"""Passwords: argon2id, few at a time."""

import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from app.domain.errors import Overloaded

MIN_BYTES, MAX_BYTES = 8, 1024
AT_ONCE = 2  # hashes: each takes 19 MiB and a core for about 60 ms
PATIENCE = 5.0  # seconds to wait for one's turn


class Passwords:
    """Hashes passwords with the parameters that OWASP recommends for argon2id.

    Hashing is dear on purpose, so that at most `AT_ONCE` run in a process: a flood
    of them must not take the machine from the webhooks.
    """

    def __init__(self, *, patience: float = PATIENCE) -> None:
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
        self._turns = threading.BoundedSemaphore(AT_ONCE)
        self._patience = patience

    def hash(self, password: str) -> str:
        """Return what to store, salt and parameters included.

        Raises:
            Overloaded: too many hashes are wanted at once.
        """
        with _Turn(self._turns, self._patience):
            return self._hasher.hash(password)

    def verify(self, password: str, stored: str) -> bool:
        """Tell whether this is the password behind a stored hash.

        Raises:
            Overloaded: too many hashes are wanted at once.
        """
        with _Turn(self._turns, self._patience):
            try:
                return self._hasher.verify(stored, password)
            except (VerificationError, InvalidHashError):
                return False


class _Turn:
    def __init__(self, turns: threading.BoundedSemaphore, patience: float) -> None:
        self._turns, self._patience = turns, patience

    def __enter__(self) -> None:
        if not self._turns.acquire(timeout=self._patience):
            raise Overloaded("Too many people sign in or up at once; try again.")

    def __exit__(self, *_: object) -> None:
        self._turns.release()
