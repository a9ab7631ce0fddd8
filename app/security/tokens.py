"""Random tokens, and comparing secrets in constant time."""

import hashlib
import hmac
import re
import secrets

from app.domain.workflow import Token, Workflow
from app.security.vault import Vault

BYTES = 24  # 192 bits; 32 characters
PATTERN = re.compile(r"[A-Za-z0-9_-]{32}")


def new() -> str:
    """Make an unguessable token that may stand in a URL."""
    return secrets.token_urlsafe(BYTES)


def well_formed(text: str) -> bool:
    """Tell whether a client's text can be a token at all."""
    return PATTERN.fullmatch(text) is not None


def digest(token: str) -> bytes:
    """Return the SHA-256 that a token is looked up by, whatever the text."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()


def sealed(vault: Vault, token: str, tenant_id: str, workflow_id: str) -> Token:
    """Return a token of a webhook's URL as it is stored."""
    written = vault.seal(
        token.encode(), tenant_id=tenant_id, credential_id=workflow_id, field="token"
    )
    return Token(digest(token), written)


def opened(vault: Vault, workflow: Workflow) -> str:
    """Undo `sealed`.

    Raises:
        Unsealable: the vault lacks its key.
    """
    token = vault.open(
        workflow.token.sealed,
        tenant_id=workflow.tenant_id,
        credential_id=workflow.id,
        field="token",
    )
    return token.decode()


def same(given: str, expected: str) -> bool:
    """Compare two secrets without telling by the time how much of them is equal."""
    return hmac.compare_digest(given.encode(), expected.encode())
