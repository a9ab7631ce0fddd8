"""Tenants, users and keys, in memory."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from app.domain.account import LAST_KEY, ApiKey, Role, Tenant, User
from app.domain.errors import Conflict, NotFound, SignupClosed
from app.store import text
from app.store.memory.state import State


class MemoryAccounts:
    """`Accounts` in dictionaries."""

    def __init__(self, state: State) -> None:
        self._state = state

    def register(
        self, tenant: Tenant, owner: User, key: ApiKey, *, only_first: bool
    ) -> None:
        text.check("the tenant's name", tenant.name)
        text.check("the address", owner.email)
        text.check("the key's name", key.name)
        with self._state.writing():
            if only_first and self._state.tenants:
                raise SignupClosed("somebody has registered before")
            if any(
                each.email.lower() == owner.email.lower()
                for each in self._state.users.values()
            ):
                raise Conflict("this address is taken; log in instead")
            self._state.tenants[tenant.id] = tenant
            self._state.users[owner.id] = owner
            self._state.roles[tenant.id, owner.id] = Role.OWNER
            self._state.api_keys[key.tenant_id, key.id] = key

    def tenant(self, tenant_id: str) -> Tenant:
        with self._state.lock:
            if tenant_id not in self._state.tenants:
                raise NotFound("There is no tenant with this id.")
            return self._state.tenants[tenant_id]

    def user(self, user_id: str) -> User:
        with self._state.lock:
            if user_id not in self._state.users:
                raise NotFound("There is no user with this id.")
            return self._state.users[user_id]

    def role(self, tenant_id: str, user_id: str) -> Role:
        with self._state.lock:
            if (tenant_id, user_id) not in self._state.roles:
                raise NotFound("This user is not a member of this tenant.")
            return self._state.roles[tenant_id, user_id]


class MemoryApiKeys:
    """`ApiKeys` in a dictionary."""

    def __init__(self, state: State) -> None:
        self._state = state

    def add(self, key: ApiKey) -> None:
        text.check("the key's name", key.name)
        with self._state.writing():
            if self.find(key.prefix) is not None:
                raise Conflict("a key with this public part exists; make another")
            self._state.api_keys[key.tenant_id, key.id] = key

    def find(self, prefix: str) -> ApiKey | None:
        with self._state.lock:
            keys = self._state.api_keys.values()
            return next((each for each in keys if each.prefix == prefix), None)

    def list(
        self, tenant_id: str, *, limit: int, before: str | None
    ) -> Sequence[ApiKey]:
        with self._state.lock:
            found = [
                each
                for each in self._state.api_keys.values()
                if each.tenant_id == tenant_id
                and each.revoked_at is None
                and (before is None or each.id < before)
            ]
        return sorted(found, key=lambda each: each.id, reverse=True)[:limit]

    def revoke(self, tenant_id: str, key_id: str, *, at: datetime) -> None:
        with self._state.writing():
            key = self._state.api_keys.get((tenant_id, key_id))
            if key is None:
                raise NotFound("There is no API key with this id.")
            if key.revoked_at is None:
                if key.lasts and not self._others(key):
                    raise Conflict(LAST_KEY)
                self._state.api_keys[tenant_id, key_id] = replace(key, revoked_at=at)

    def _others(self, key: ApiKey) -> bool:
        """Tell whether the tenant has another lasting `admin` key."""
        return any(
            each.lasts
            for each in self._state.api_keys.values()
            if each.tenant_id == key.tenant_id and each.id != key.id
        )
