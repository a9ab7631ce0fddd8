"""The contract for sessions, which belong to a user and have one active tenant."""

from collections.abc import Sequence
from concurrent.futures import Future
from datetime import datetime
from typing import Protocol

from app.domain.session import Session


class Sessions(Protocol):
    """People who have logged in. Every query names the user, but the first one."""

    def add(self, session: Session, *, password_hash: str) -> None:
        """Remember a new session, if this is still what the user's password hashes to.

        Raises:
            Conflict: the password was changed, or the user left the tenant, meanwhile.
        """

    def find(self, token_hash: bytes, *, at: datetime) -> Session | None:
        """Return the session with this secret, unless it has expired."""
        ...

    def list(
        self, user_id: str, *, at: datetime, limit: int, before: str | None
    ) -> Sequence[Session]:
        """Return those that have not expired, newest first, with ids below `before`."""
        ...

    def use(self, session: Session, *, at: datetime) -> "Future[None]":
        """Remember that it was used, unless that is known to within a minute."""
        ...

    def replace(self, old: Session, new: Session) -> None:
        """End one session and begin another in its place, or neither.

        Raises:
            NotFound: the old one has ended meanwhile.
            Conflict: the user is not a member of the new one's tenant.
        """

    def end(self, user_id: str, session_id: str) -> None:
        """End a session.

        Raises:
            NotFound: the user has no such session.
        """

    def end_others(self, user_id: str, *, but: str) -> int:
        """End all sessions of a user but one; return how many."""
        ...

    def sweep(self, at: datetime, *, limit: int) -> int:
        """Delete sessions that have expired; return how many."""
        ...
