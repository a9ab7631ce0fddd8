"""The people in tenants, in memory."""

from collections.abc import Sequence
from dataclasses import replace

from app.domain.account import LAST_OWNER, Member, Role, RoleChange
from app.domain.errors import Conflict, NotFound
from app.store.memory.state import State


class MemoryMembers:
    """`Members` in a dictionary."""

    def __init__(self, state: State) -> None:
        self._state = state

    def get(self, tenant_id: str, user_id: str) -> Member:
        with self._state.lock:
            found = self._state.members.get((tenant_id, user_id))
        if found is None:
            raise NotFound("This user is not a member of this tenant.")
        return found

    def list(
        self, tenant_id: str, *, limit: int, before: str | None
    ) -> Sequence[Member]:
        with self._state.lock:
            found = [
                each
                for each in self._state.members.values()
                if each.tenant_id == tenant_id
                and (before is None or each.user_id < before)
            ]
        return sorted(found, key=lambda each: each.user_id, reverse=True)[:limit]

    def of(self, user_id: str) -> Sequence[Member]:
        with self._state.lock:
            found = [m for m in self._state.members.values() if m.user_id == user_id]
        return sorted(found, key=lambda each: (each.joined_at, each.tenant_id))

    def change(self, tenant_id: str, user_id: str, role: Role) -> RoleChange:
        with self._state.writing():
            found = self.get(tenant_id, user_id)
            if role is not Role.OWNER:
                self._spare(found)
                self._withdraw(tenant_id, user_id)
            changed = replace(found, role=role)
            self._state.members[tenant_id, user_id] = changed
            return RoleChange(found.role, changed)

    def remove(self, tenant_id: str, user_id: str) -> Member:
        with self._state.writing():
            found = self.get(tenant_id, user_id)
            self._spare(found)
            self._withdraw(tenant_id, user_id)
            for key in [*self._state.api_keys.values()]:
                if (key.tenant_id, key.user_id) == (tenant_id, user_id):
                    del self._state.api_keys[key.tenant_id, key.id]
            for session in [*self._state.sessions.values()]:
                if (session.tenant_id, session.user_id) == (tenant_id, user_id):
                    del self._state.sessions[session.user_id, session.id]
            del self._state.members[tenant_id, user_id]
            return found

    def _spare(self, member: Member) -> None:
        """Refuse to lose the last owner."""
        owners = [
            each.user_id
            for each in self._state.members.values()
            if each.tenant_id == member.tenant_id and each.role is Role.OWNER
        ]
        if owners == [member.user_id]:
            raise Conflict(LAST_OWNER)

    def _withdraw(self, tenant_id: str, user_id: str) -> None:
        for each in [*self._state.invitations.values()]:
            if (each.tenant_id, each.inviter_id) == (tenant_id, user_id):
                del self._state.invitations[tenant_id, each.id]
