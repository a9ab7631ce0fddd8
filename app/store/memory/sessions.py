"""Sessions, in memory."""

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace
from datetime import datetime

from app.domain.account import is_news
from app.domain.errors import Conflict, NotFound
from app.domain.session import Session
from app.store.memory.state import State


class MemorySessions:
    """`Sessions` in a dictionary."""

    def __init__(self, state: State) -> None:
        self._state = state

    def add(self, session: Session, *, password_hash: str) -> None:
        with self._state.writing():
            user = self._state.users.get(session.user_id)
            if user is None or user.password_hash != password_hash:
                raise Conflict("The password was changed meanwhile; log in again.")
            self._keep(session)

    def find(self, token_hash: bytes, *, at: datetime) -> Session | None:
        with self._state.lock:
            for each in self._state.sessions.values():
                if each.token_hash == token_hash and each.expires_at > at:
                    return self._now(each)
        return None

    def list(
        self, user_id: str, *, at: datetime, limit: int, before: str | None
    ) -> Sequence[Session]:
        with self._state.lock:
            found = [
                self._now(each)
                for each in self._state.sessions.values()
                if each.user_id == user_id
                and each.expires_at > at
                and (before is None or each.id < before)
            ]
        return sorted(found, key=lambda each: each.id, reverse=True)[:limit]

    def use(self, session: Session, *, at: datetime) -> "Future[None]":
        def change() -> None:
            known = self._state.sessions.get((session.user_id, session.id))
            if known is not None and is_news(known.used_at, at):
                used = replace(known, used_at=at)
                self._state.sessions[session.user_id, session.id] = used

        return self._state.settle(change)

    def replace(self, old: Session, new: Session) -> None:
        with self._state.writing():
            if (old.user_id, old.id) not in self._state.sessions:
                raise NotFound("This session has ended.")
            self._keep(new)
            del self._state.sessions[old.user_id, old.id]

    def end(self, user_id: str, session_id: str) -> None:
        with self._state.writing():
            if (user_id, session_id) not in self._state.sessions:
                raise NotFound("There is no session with this id.")
            del self._state.sessions[user_id, session_id]

    def end_others(self, user_id: str, *, but: str) -> int:
        with self._state.writing():
            names = self._state.sessions
            others = [each for each in names if each[0] == user_id and each[1] != but]
            for each in others:
                del self._state.sessions[each]
            return len(others)

    def sweep(self, at: datetime, *, limit: int) -> int:
        with self._state.writing():
            known = self._state.sessions.items()
            stale = [name for name, each in known if each.expires_at <= at][:limit]
            for name in stale:
                del self._state.sessions[name]
            return len(stale)

    def _keep(self, session: Session) -> None:
        if (session.tenant_id, session.user_id) not in self._state.members:
            raise Conflict("You are not a member of this tenant any more.")
        self._state.sessions[session.user_id, session.id] = session

    def _now(self, session: Session) -> Session:
        """Return a session with what its user is now."""
        member = self._state.members[session.tenant_id, session.user_id]
        return replace(session, role=member.role)
