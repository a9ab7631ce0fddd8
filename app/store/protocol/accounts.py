"""The contract for tenants, the people in them, and keys."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from app.domain.account import ApiKey, Role, Tenant, User


class Accounts(Protocol):
    """Tenants and the people in them."""

    def register(
        self, tenant: Tenant, owner: User, key: ApiKey, *, only_first: bool
    ) -> None:
        """Remember a new tenant, its owner and the owner's first key, or nothing.

        With `only_first`, of simultaneous first registrations exactly one succeeds:
        a singleton row decides.

        Raises:
            SignupClosed: `only_first`, and somebody has registered before.
            Conflict: the address (compared in lower case) is taken.
        """

    def tenant(self, tenant_id: str) -> Tenant:
        """Return one tenant.

        Raises:
            NotFound: there is none.
        """
        ...

    def user(self, user_id: str) -> User:
        """Return one user.

        Raises:
            NotFound: there is none.
        """
        ...

    def role(self, tenant_id: str, user_id: str) -> Role:
        """Return what a user is in a tenant.

        Raises:
            NotFound: not a member.
        """
        ...


class ApiKeys(Protocol):
    """Keys of programs."""

    def add(self, key: ApiKey) -> None:
        """Remember a new key."""

    def find(self, prefix: str) -> ApiKey | None:
        """Return the key with this public part, revoked and expired ones too.

        The one query without a tenant: its answer says which tenant is calling.
        """
        ...

    def list(
        self, tenant_id: str, *, limit: int, before: str | None
    ) -> Sequence[ApiKey]:
        """Return keys that are not revoked, newest first, with ids below `before`."""
        ...

    def revoke(self, tenant_id: str, key_id: str, *, at: datetime) -> None:
        """End a key; again is no error.

        Raises:
            NotFound: the tenant has no such key.
            Conflict: it is the tenant's last key with `admin` that does not expire.
        """
