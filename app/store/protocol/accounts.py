"""The contract for tenants, the people in them, and keys."""

from collections.abc import Sequence
from concurrent.futures import Future
from datetime import datetime
from typing import Protocol

from app.domain.account import ApiKey, Tenant, User
from app.domain.session import Session


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

    def by_email(self, email: str) -> User | None:
        """Return the user with this address, compared in lower case."""
        ...

    def rehash(self, user_id: str, password_hash: str, *, was: str) -> None:
        """Replace the hash of a password that stays, unless it was changed."""

    def change_password(
        self,
        user_id: str,
        password_hash: str,
        *,
        was: str | None = None,
        session: Session | None = None,
    ) -> None:
        """Replace a password, and every session of the user by this one, or nothing.

        Args:
            user_id: whose.
            password_hash: of the new one.
            was: the hash of the one that was proved; None: nothing was.
            session: a new one, for who makes the change.

        Raises:
            NotFound: there is no such user.
            Conflict: the password was changed, or the user left the session's tenant,
                meanwhile.
        """


class ApiKeys(Protocol):
    """Keys of programs."""

    def add(self, key: ApiKey) -> None:
        """Remember a new key.

        Raises:
            Conflict: its public part is taken, or its user is no member any more.
        """

    def find(self, prefix: str) -> ApiKey | None:
        """Return the key with this public part, revoked and expired ones too.

        The one query without a tenant: its answer says which tenant is calling.
        """
        ...

    def list(
        self,
        tenant_id: str,
        *,
        limit: int,
        before: str | None,
        user_id: str | None = None,
    ) -> Sequence[ApiKey]:
        """Return keys that are not revoked, newest first, with ids below `before`.

        With `user_id`, those of this user.
        """
        ...

    def use(self, key: ApiKey, *, at: datetime) -> "Future[None]":
        """Remember that a key was used, unless that is known to within a minute."""
        ...

    def revoke(
        self, tenant_id: str, key_id: str, *, at: datetime, user_id: str | None = None
    ) -> ApiKey | None:
        """End a key and return it as it was; None if it had ended before.

        Raises:
            NotFound: the tenant, or this user in it, has no such key.
            Conflict: it is the tenant's last key with `admin` that does not expire.
        """
        ...
