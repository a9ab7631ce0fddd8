"""Invitations, in memory."""

from collections.abc import Sequence
from datetime import datetime

from app.domain.account import Member, User
from app.domain.errors import Conflict, NotFound
from app.domain.invitation import GONE, Invitation
from app.store import text
from app.store.memory.state import State


class MemoryInvitations:
    """`Invitations` in a dictionary."""

    def __init__(self, state: State) -> None:
        self._state = state

    def add(self, invitation: Invitation) -> None:
        text.check("the address", invitation.email)
        with self._state.writing():
            inside = [
                each
                for each in self._state.members.values()
                if each.tenant_id == invitation.tenant_id
            ]
            if any(each.email.lower() == invitation.email.lower() for each in inside):
                raise Conflict("A member has this address already.")
            if all(each.user_id != invitation.inviter_id for each in inside):
                raise Conflict("The inviter is a member no more.")
            self._state.invitations[invitation.tenant_id, invitation.id] = invitation

    def list(
        self, tenant_id: str, *, at: datetime, limit: int, before: str | None
    ) -> Sequence[Invitation]:
        with self._state.lock:
            found = [
                each
                for each in self._state.invitations.values()
                if each.tenant_id == tenant_id
                and each.expires_at > at
                and (before is None or each.id < before)
            ]
        return sorted(found, key=lambda each: each.id, reverse=True)[:limit]

    def find(self, token_hash: bytes, *, at: datetime) -> Invitation | None:
        with self._state.lock:
            for each in self._state.invitations.values():
                if each.token_hash == token_hash and each.expires_at > at:
                    return each
        return None

    def accept(self, token_hash: bytes, user: User, *, at: datetime) -> Member:
        text.check("the address", user.email)
        with self._state.writing():
            invitation = self.find(token_hash, at=at)
            if invitation is None:
                raise NotFound(GONE)
            tenant_id = invitation.tenant_id
            if (tenant_id, user.id) in self._state.members:
                raise Conflict("You are a member of this tenant already.")
            self._know(user)
            del self._state.invitations[tenant_id, invitation.id]
            joined = Member(
                tenant_id=tenant_id,
                user_id=user.id,
                email=self._state.users[user.id].email,
                role=invitation.role,
                joined_at=at,
            )
            self._state.members[tenant_id, user.id] = joined
            return joined

    def delete(self, tenant_id: str, invitation_id: str) -> Invitation:
        with self._state.writing():
            if (tenant_id, invitation_id) not in self._state.invitations:
                raise NotFound("There is no invitation with this id.")
            return self._state.invitations.pop((tenant_id, invitation_id))

    def sweep(self, at: datetime, *, limit: int) -> int:
        with self._state.writing():
            known = self._state.invitations.items()
            stale = [name for name, each in known if each.expires_at <= at][:limit]
            for name in stale:
                del self._state.invitations[name]
            return len(stale)

    def _know(self, user: User) -> None:
        users = self._state.users
        if user.id in users:
            return
        if any(each.email.lower() == user.email.lower() for each in users.values()):
            raise Conflict("This address is taken; log in instead.")
        users[user.id] = user
