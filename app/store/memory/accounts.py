"""Tenants and users, in memory."""

from dataclasses import replace

from app.domain.account import ApiKey, Member, Role, Tenant, User
from app.domain.errors import Conflict, NotFound, SignupClosed
from app.domain.session import Session
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
            self._state.members[tenant.id, owner.id] = Member(
                tenant_id=tenant.id,
                user_id=owner.id,
                email=owner.email,
                role=Role.OWNER,
                joined_at=tenant.created_at,
            )
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

    def by_email(self, email: str) -> User | None:
        with self._state.lock:
            for each in self._state.users.values():
                if each.email.lower() == email.lower():
                    return each
        return None

    def rehash(self, user_id: str, password_hash: str, *, was: str) -> None:
        with self._state.writing():
            user = self._state.users.get(user_id)
            if user is not None and user.password_hash == was:
                self._state.users[user_id] = replace(user, password_hash=password_hash)

    def change_password(
        self,
        user_id: str,
        password_hash: str,
        *,
        was: str | None = None,
        session: Session | None = None,
    ) -> None:
        with self._state.writing():
            user = self.user(user_id)
            if was not in (None, user.password_hash):
                raise Conflict("The password was changed meanwhile; log in again.")
            kept = {n: s for n, s in self._state.sessions.items() if n[0] != user_id}
            if session is not None:
                if (session.tenant_id, user_id) not in self._state.members:
                    raise Conflict("You are not a member of this tenant any more.")
                kept[user_id, session.id] = session
            self._state.sessions = kept
            self._state.users[user_id] = replace(user, password_hash=password_hash)
