"""Credentials, in memory."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from app.domain import references
from app.domain.credential import Credential
from app.domain.errors import Conflict, CredentialMissing, NotFound
from app.domain.workflow import Version
from app.store import text
from app.store.memory.grants import forget
from app.store.memory.state import State


class MemoryCredentials:
    """`Credentials` in a dictionary."""

    def __init__(self, state: State) -> None:
        self._state = state

    def add(self, credential: Credential) -> None:
        text.check("the credential's name", credential.name)
        with self._state.writing():
            require_free(self._state, [credential])
            keep(self._state, [credential])

    def get(self, tenant_id: str, credential_id: str) -> Credential:
        with self._state.lock:
            found = self._state.credentials.get((tenant_id, credential_id))
        if found is None:
            raise NotFound("no such credential")
        return found

    def by_name(self, tenant_id: str, name: str) -> Credential:
        with self._state.lock:
            for each in self._of(tenant_id):
                if each.name == name:
                    return each
        raise NotFound(f"There is no credential `{name}`.")

    def list(
        self, tenant_id: str, *, limit: int, before: str | None
    ) -> Sequence[Credential]:
        with self._state.lock:
            found = [
                each
                for each in self._of(tenant_id)
                if before is None or each.id < before
            ]
        return sorted(found, key=lambda each: each.id, reverse=True)[:limit]

    def owned(self, tenant_id: str, workflow_id: str) -> Sequence[Credential]:
        with self._state.lock:
            found = [
                each for each in self._of(tenant_id) if each.workflow_id == workflow_id
            ]
        return sorted(found, key=lambda each: each.id, reverse=True)

    def replace(
        self,
        tenant_id: str,
        credential_id: str,
        *,
        name: str,
        sealed: Mapping[str, bytes],
        at: datetime,
    ) -> Credential:
        text.check("the credential's name", name)
        with self._state.writing():
            found = self.get(tenant_id, credential_id)
            changed = dataclasses.replace(
                found, name=name, sealed=dict(sealed), updated_at=at
            )
            if name != found.name:
                require_free(self._state, [changed])
                _require_unused(self._state, found)
            keep(self._state, [changed])
            forget(self._state, tenant_id, credential_id)
            return changed

    def delete(self, tenant_id: str, credential_id: str) -> Credential:
        with self._state.writing():
            found = self.get(tenant_id, credential_id)
            _require_unused(self._state, found)
            del self._state.credentials[tenant_id, credential_id]
            forget(self._state, tenant_id, credential_id)
            return found

    def _of(self, tenant_id: str) -> Iterable[Credential]:
        every = self._state.credentials.values()
        return (each for each in every if each.tenant_id == tenant_id)


def require_free(state: State, added: Iterable[Credential]) -> None:
    """Refuse credentials whose names are taken.

    Raises:
        Conflict: one is.
    """
    taken = _names(state)
    for each in added:
        text.check("the credential's name", each.name)
        if (each.tenant_id, each.name) in taken:
            raise Conflict(
                f"a credential named `{each.name}` exists; choose another name"
            )


def note_uses(
    state: State,
    version: Version,
    added: Iterable[Credential] = (),
    *,
    is_active: bool,
) -> None:
    """Note which credentials a workflow needs from now on.

    Raises:
        CredentialMissing: it is active and one does not exist.
    """
    known = _names(state) | {(each.tenant_id, each.name) for each in added}
    named = references.names(version.definition)
    for each in named:
        text.check("a credential's name", each)
    there = {each for each in named if (version.tenant_id, each) in known}
    if is_active and there != named:
        raise CredentialMissing(named - there)
    state.uses[version.tenant_id, version.workflow_id] = there


def keep(state: State, changed: Iterable[Credential]) -> None:
    """Remember credentials that were checked."""
    for each in changed:
        state.credentials[each.tenant_id, each.id] = each


def _names(state: State) -> set[tuple[str, str]]:
    return {(each.tenant_id, each.name) for each in state.credentials.values()}


def _require_unused(state: State, credential: Credential) -> None:
    for key, names in state.uses.items():
        workflow = state.workflows[key]
        if workflow.tenant_id == credential.tenant_id and credential.name in names:
            raise Conflict(
                f"the workflow `{workflow.name}` uses this credential;"
                " change the workflow first"
            )
