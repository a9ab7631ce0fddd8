"""Keys of programs, in memory."""

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace
from datetime import datetime

from app.domain.account import LAST_KEY, ApiKey, is_news
from app.domain.errors import Conflict, NotFound
from app.store import text
from app.store.memory.state import State


class MemoryApiKeys:
    """`ApiKeys` in a dictionary."""

    def __init__(self, state: State) -> None:
        self._state = state

    def add(self, key: ApiKey) -> None:
        text.check("the key's name", key.name)
        with self._state.writing():
            if self.find(key.prefix) is not None:
                raise Conflict("a key with this public part exists; make another")
            if (key.tenant_id, key.user_id) not in self._state.members:
                raise Conflict("the key's user is no member any more")
            self._state.api_keys[key.tenant_id, key.id] = key

    def find(self, prefix: str) -> ApiKey | None:
        with self._state.lock:
            keys = self._state.api_keys.values()
            found = next((each for each in keys if each.prefix == prefix), None)
            return None if found is None else self._now(found)

    def list(
        self,
        tenant_id: str,
        *,
        limit: int,
        before: str | None,
        user_id: str | None = None,
    ) -> Sequence[ApiKey]:
        with self._state.lock:
            found = [
                self._now(each)
                for each in self._state.api_keys.values()
                if each.tenant_id == tenant_id
                and each.revoked_at is None
                and user_id in (None, each.user_id)
                and (before is None or each.id < before)
            ]
        return sorted(found, key=lambda each: each.id, reverse=True)[:limit]

    def use(self, key: ApiKey, *, at: datetime) -> "Future[None]":
        def change() -> None:
            known = self._state.api_keys.get((key.tenant_id, key.id))
            if known is not None and is_news(known.used_at, at):
                used = replace(known, used_at=at)
                self._state.api_keys[key.tenant_id, key.id] = used

        return self._state.settle(change)

    def revoke(
        self, tenant_id: str, key_id: str, *, at: datetime, user_id: str | None = None
    ) -> ApiKey | None:
        with self._state.writing():
            key = self._state.api_keys.get((tenant_id, key_id))
            if key is None or user_id not in (None, key.user_id):
                raise NotFound("There is no API key with this id.")
            if key.revoked_at is not None:
                return None
            if self._now(key).lasts and not self._others(key):
                raise Conflict(LAST_KEY)
            self._state.api_keys[tenant_id, key_id] = replace(key, revoked_at=at)
            return self._now(key)

    def _others(self, key: ApiKey) -> bool:
        """Tell whether the tenant has another lasting `admin` key."""
        return any(
            self._now(each).lasts
            for each in self._state.api_keys.values()
            if each.tenant_id == key.tenant_id and each.id != key.id
        )

    def _now(self, key: ApiKey) -> ApiKey:
        """Return a key with what its user is now."""
        member = self._state.members[key.tenant_id, key.user_id]
        return replace(key, role=member.role)
