"""What a person lets us do at somebody else's server, and how that is asked for."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """A question that a person was sent away with; answered once, or never."""

    state_hash: bytes = field(repr=False)  # of what the person brings back
    tenant_id: str
    credential_id: str
    user_id: str  # who asked
    verifier: bytes = field(repr=False)  # sealed: only we can use the answer
    credential_at: datetime  # when the credential was last changed
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """The tokens of a credential, sealed; each exchange makes another generation."""

    tenant_id: str
    credential_id: str
    generation: int
    sealed: bytes = field(repr=False)
