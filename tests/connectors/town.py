"""What gets tokens, and all that it lives with."""

import time
from dataclasses import dataclass, replace

import pytest

from app.connectors import oauth
from app.connectors.http import HttpClient
from app.connectors.tokens import GRANT, Purse
from app.domain import times
from app.domain.credential import Credential, Opened
from app.domain.errors import StepFailed
from app.domain.grant import Consent
from app.security.vault import Vault
from app.store.memory import MemoryStore
from tests.connectors.provider import SCOPES, SECRET

BACK = "https://sluice.example.com/oauth/callback"
VERIFIER = "v" * 43
PLACE = {"tenant_id": "tenant_1", "credential_id": "cred_1"}


class Clock:
    """A time that tests set."""

    def __init__(self):
        self.now = time.time()

    def __call__(self):
        return self.now


@dataclass
class Town:
    """What a purse lives with."""

    http: HttpClient
    store: MemoryStore
    vault: Vault
    clock: Clock

    def purse(self):
        return Purse(self.http, self.store.grants, self.vault, clock=self.clock)

    def sealed(self, tokens):
        return self.vault.seal(tokens.written(), **PLACE, field=GRANT)

    def consent(self, **changes):
        """What a person was asked about a credential that is kept now."""
        at = times.now()
        made = Credential(
            tenant_id=changes.get("tenant_id", "tenant_1"), id="cred_1", name="orders",
            type="oauth2", workflow_id=None, sealed={}, created_at=at, updated_at=at,
        )  # fmt: skip
        self.store.credentials.add(made)
        verifier = self.vault.seal(VERIFIER.encode(), **PLACE, field="verifier")
        asked = Consent(
            state_hash=b"h", tenant_id="tenant_1", credential_id="cred_1",
            user_id="user_1", verifier=verifier, credential_at=at, expires_at=at,
        )  # fmt: skip
        return replace(asked, **changes)


def client(provider, grant="client_credentials", **more):
    return Opened(
        tenant_id="tenant_1", id="cred_1", name="orders", type="oauth2",
        data=provider.data(grant, **more),
    )  # fmt: skip


def authorize(provider, purse, town, context):
    """Return a client to whom a person has granted tokens."""
    one = client(provider, "authorization_code", scopes=SCOPES)
    url = oauth.question(one, state="s" * 32, verifier=VERIFIER, redirect_uri=BACK)
    code = provider.consent(url).partition("code=")[2].partition("&")[0]
    consent = town.consent()
    sealed = purse.redeem(context, one, consent, code=code, redirect_uri=BACK)
    assert town.store.grants.grant(consent, sealed)
    return one


def fails(purse, context, one, **more):
    with pytest.raises(StepFailed) as failed:
        purse.token(context, one, **more)
    for secret in (SECRET, VERIFIER):
        assert secret not in str(failed.value)
    return failed.value
