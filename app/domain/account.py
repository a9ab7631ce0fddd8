"""Tenants, the people in them, and the keys that programs use."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

LAST_KEY = (
    "This is the last key with admin that does not expire; without it nobody could make"
    " another. Make a new one first."
)
LAST_OWNER = (
    "This is the last owner; without one nobody could let anybody in. Make another"
    " member an owner first."
)


USE = timedelta(minutes=1)  # how exactly it is known when something was used


class Role(StrEnum):
    """What a member may do, most first."""

    OWNER = "owner"
    EDITOR = "editor"
    OPERATOR = "operator"
    VIEWER = "viewer"


class Scope(StrEnum):
    """What a key may do; each includes those before it."""

    READ = "read"
    RUN = "run"
    WRITE = "write"
    ADMIN = "admin"

    def covers(self, other: "Scope") -> bool:
        """Tell whether this scope includes another."""
        order = list(Scope)
        return order.index(self) >= order.index(other)


SCOPES = {
    Role.OWNER: Scope.ADMIN,
    Role.EDITOR: Scope.WRITE,
    Role.OPERATOR: Scope.RUN,
    Role.VIEWER: Scope.READ,
}


def cut(scopes: Iterable[Scope], role: Role) -> frozenset[Scope]:
    """Return what is left of scopes for somebody who is no more than this."""
    most = SCOPES[role]
    return frozenset(each if most.covers(each) else most for each in scopes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """A company or team; a wall around its data."""

    id: str
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person, known by an address."""

    id: str
    email: str
    password_hash: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A person in a tenant."""

    tenant_id: str
    user_id: str
    email: str
    role: Role
    joined_at: datetime


@dataclass(frozen=True, slots=True)
class RoleChange:
    """What a member was, and the member now."""

    was: Role
    member: Member


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A program's key to one tenant, without the secret itself.

    `role` is what its user is when it is read; it is not stored with the key.
    """

    tenant_id: str
    id: str
    user_id: str
    role: Role
    name: str
    prefix: str  # public part, unique over all tenants
    secret_hash: bytes  # SHA-256
    scopes: frozenset[Scope]
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    used_at: datetime | None = None  # written at most once a minute

    @property
    def allowed(self) -> frozenset[Scope]:
        """What it may do: no more than its user may, now."""
        return cut(self.scopes, self.role)

    @property
    def lasts(self) -> bool:
        """Whether a tenant can rely on it: an `admin` key without an end."""
        ends = self.revoked_at or self.expires_at
        return ends is None and Scope.ADMIN in self.allowed

    def holds(self, at: datetime) -> bool:
        """Tell whether it is neither revoked nor expired."""
        ended = self.expires_at is not None and self.expires_at <= at
        return self.revoked_at is None and not ended


def is_news(known: datetime | None, at: datetime) -> bool:
    """Tell whether a use at this instant is worth writing down."""
    return known is None or at - known >= USE
