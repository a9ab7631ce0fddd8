"""What people granted, in memory."""

import dataclasses
from datetime import datetime

from app.domain.errors import NotFound
from app.domain.grant import Consent, Grant
from app.store.memory.state import State


class MemoryGrants:
    """`Grants` in dictionaries."""

    def __init__(self, state: State) -> None:
        self._state = state

    def ask(self, consent: Consent, *, at: datetime) -> None:
        with self._state.writing():
            if (
                consent.tenant_id,
                consent.credential_id,
            ) not in self._state.credentials:
                raise NotFound("no such credential")
            for key, each in list(self._state.consents.items()):
                if each.tenant_id == consent.tenant_id and each.expires_at <= at:
                    del self._state.consents[key]
            self._state.consents[consent.state_hash] = consent

    def answer(self, state_hash: bytes, *, at: datetime) -> Consent:
        with self._state.writing():
            found = self._state.consents.pop(state_hash, None)
        if found is None or found.expires_at <= at:
            raise NotFound("no such question")
        return found

    def grant(self, consent: Consent, sealed: bytes) -> bool:
        key = (consent.tenant_id, consent.credential_id)
        with self._state.writing():
            credential = self._state.credentials.get(key)
            if credential is None or credential.updated_at != consent.credential_at:
                return False
            self._keep(*key, sealed)
            return True

    def get(self, tenant_id: str, credential_id: str) -> Grant | None:
        with self._state.lock:
            return self._state.grants.get((tenant_id, credential_id))

    def claim(self, grant: Grant, *, until: datetime, at: datetime) -> bool:
        key = (grant.tenant_id, grant.credential_id)
        with self._state.writing():
            if not self._is_newest(grant) or self._state.claims.get(key, at) > at:
                return False
            self._state.claims[key] = until
            return True

    def release(self, grant: Grant) -> None:
        with self._state.writing():
            if self._is_newest(grant):
                self._state.claims.pop((grant.tenant_id, grant.credential_id), None)

    def renew(self, grant: Grant, sealed: bytes) -> bool:
        with self._state.writing():
            if not self._is_newest(grant):
                return False
            self._keep(grant.tenant_id, grant.credential_id, sealed)
            return True

    def _is_newest(self, grant: Grant) -> bool:
        found = self._state.grants.get((grant.tenant_id, grant.credential_id))
        return found is not None and found.generation == grant.generation

    def _keep(self, tenant_id: str, credential_id: str, sealed: bytes) -> None:
        key = (tenant_id, credential_id)
        found = self._state.grants.get(key)
        first = Grant(
            tenant_id=tenant_id,
            credential_id=credential_id,
            generation=0,
            sealed=sealed,
        )
        generation = (found or first).generation + 1
        self._state.claims.pop(key, None)
        self._state.grants[key] = dataclasses.replace(first, generation=generation)


def forget(state: State, tenant_id: str, credential_id: str) -> None:
    """Drop what was asked and granted for a credential."""
    key = (tenant_id, credential_id)
    state.grants.pop(key, None)
    state.claims.pop(key, None)
    for name, each in list(state.consents.items()):
        if (each.tenant_id, each.credential_id) == key:
            del state.consents[name]
