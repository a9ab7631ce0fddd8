"""The contract for invitations."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from app.domain.account import Member, User
from app.domain.invitation import Invitation


class Invitations(Protocol):
    """Ways into a tenant, each for one person and once."""

    def add(self, invitation: Invitation) -> None:
        """Remember a new invitation.

        Raises:
            Conflict: a member has this address, or the inviter is a member no more.
        """

    def list(
        self, tenant_id: str, *, at: datetime, limit: int, before: str | None
    ) -> Sequence[Invitation]:
        """Return those that can be accepted, newest first, with ids below `before`."""
        ...

    def find(self, token_hash: bytes, *, at: datetime) -> Invitation | None:
        """Return the one that a secret accepts, if it still can.

        A query without a tenant: its answer says to which one it leads.
        """
        ...

    def accept(self, token_hash: bytes, user: User, *, at: datetime) -> Member:
        """Let a user in and use the invitation up, or neither.

        A user whose id is not known is remembered. Of simultaneous calls exactly one
        succeeds.

        Raises:
            NotFound: it is unknown, used, withdrawn or expired.
            Conflict: the user is a member already, or the new user's address is taken.
        """
        ...

    def delete(self, tenant_id: str, invitation_id: str) -> Invitation:
        """Withdraw an invitation, and return what it was.

        Raises:
            NotFound: the tenant has no such invitation.
        """
        ...

    def sweep(self, at: datetime, *, limit: int) -> int:
        """Delete invitations that have expired; return how many."""
        ...
