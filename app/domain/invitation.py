"""Invitations: a way into a tenant, for one person and once."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.domain.account import Role

LIFE = timedelta(days=7)  # unless the invitation says otherwise
GONE = "The invitation is unknown, used, withdrawn or expired; ask for another."


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """An invitation, without the secret that accepts it."""

    tenant_id: str
    id: str
    email: str
    role: Role
    token_hash: bytes  # SHA-256
    inviter_id: str
    created_at: datetime
    expires_at: datetime
