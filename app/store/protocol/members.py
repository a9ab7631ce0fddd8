"""The contract for the people in a tenant."""

from collections.abc import Sequence
from typing import Protocol

from app.domain.account import Member, Role, RoleChange


class Members(Protocol):
    """Who is in which tenant, and as what; a tenant always has an owner."""

    def get(self, tenant_id: str, user_id: str) -> Member:
        """Return one member.

        Raises:
            NotFound: not a member.
        """
        ...

    def list(
        self, tenant_id: str, *, limit: int, before: str | None
    ) -> Sequence[Member]:
        """Return members, newest user first, with user ids below `before`."""
        ...

    def of(self, user_id: str) -> Sequence[Member]:
        """Return a user's place in each tenant, the first joined first.

        A query without a tenant: only for this user's own eyes.
        """
        ...

    def change(self, tenant_id: str, user_id: str, role: Role) -> RoleChange:
        """Make a member something else; who is an owner no more invites nobody.

        Keys and sessions of the member stay, and may do what the role may.

        Raises:
            NotFound: not a member.
            Conflict: it is the last owner.
        """
        ...

    def remove(self, tenant_id: str, user_id: str) -> Member:
        """Remove a member with the keys, sessions and invitations of this tenant.

        Returns the member for the last time.

        Raises:
            NotFound: not a member.
            Conflict: it is the last owner.
        """
        ...
