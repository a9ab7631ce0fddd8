"""Sessions: a person who has logged in, in one browser or program."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.domain.account import SCOPES, Role, Scope

IDLE = timedelta(hours=12)  # without a request
LIFE = timedelta(days=7)  # since the login, whatever happens


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One login, without the secret of its cookie.

    `role` is what the user is in the active tenant when it is read; it is not stored
    with the session.
    """

    id: str
    token_hash: bytes  # SHA-256
    user_id: str
    tenant_id: str  # the active one
    role: Role
    created_at: datetime  # the login; kept when the session's secret changes
    used_at: datetime  # written at most once a minute
    address: str  # of the client that logged in
    agent: str  # what that client calls itself

    @property
    def expires_at(self) -> datetime:
        """When it ends, if nobody uses it before."""
        return expiry(self.created_at, self.used_at)

    @property
    def allowed(self) -> frozenset[Scope]:
        """What it may do."""
        return frozenset({SCOPES[self.role]})


def expiry(created_at: datetime, used_at: datetime) -> datetime:
    """Return the earlier end: of idleness, or of the whole session."""
    return min(created_at + LIFE, used_at + IDLE)
