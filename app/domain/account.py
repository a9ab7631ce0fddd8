"""Tenants, the people in them, and the keys that programs use."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

LAST_KEY = (
    "This is the last key with admin that does not expire; without it nobody could make"
    " another. Make a new one first."
)


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
class ApiKey:
    """A program's key to one tenant, without the secret itself."""

    tenant_id: str
    id: str
    user_id: str
    name: str
    prefix: str  # public part, unique over all tenants
    secret_hash: bytes  # SHA-256
    scopes: frozenset[Scope]
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    @property
    def lasts(self) -> bool:
        """Whether a tenant can rely on it: an `admin` key without an end."""
        ends = self.revoked_at or self.expires_at
        return ends is None and Scope.ADMIN in self.scopes
