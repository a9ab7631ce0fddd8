"""The contract of what people granted."""

from datetime import datetime
from typing import Protocol

from app.domain.grant import Consent, Grant


class Grants(Protocol):
    """Tokens of credentials, and the questions that lead to them.

    Both go when their credential gets other data or goes.
    """

    def ask(self, consent: Consent, *, at: datetime) -> None:
        """Remember a question, and forget the tenant's that have expired.

        Raises:
            NotFound: the tenant has no such credential.
        """

    def answer(self, state_hash: bytes, *, at: datetime) -> Consent:
        """Return a question; of those who ask for it, one gets it, once.

        Raises:
            NotFound: it was never asked, was answered, or has expired.
        """
        ...

    def grant(self, consent: Consent, sealed: bytes) -> bool:
        """Keep tokens in the place of all earlier ones.

        False if the credential has got other data since the question, or is gone.
        """
        ...

    def get(self, tenant_id: str, credential_id: str) -> Grant | None:
        """Return the newest tokens, if there are any."""
        ...

    def claim(self, grant: Grant, *, until: datetime, at: datetime) -> bool:
        """Let one renew this generation until an instant; True for that one.

        False as well if there is another generation by now.
        """
        ...

    def release(self, grant: Grant) -> None:
        """Let others renew this generation, if it is still the newest."""

    def renew(self, grant: Grant, sealed: bytes) -> bool:
        """Keep other tokens in the place of this generation, if it is the newest."""
        ...
