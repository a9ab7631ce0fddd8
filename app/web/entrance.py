"""People who prove a password, and the sessions they begin. Knows no Flask."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from app.domain import ids, times
from app.domain.account import Member, User
from app.domain.audit import Actor, Deed, Source
from app.domain.errors import NotFound
from app.domain.session import Session
from app.security import tokens
from app.security.passwords import Passwords
from app.store.protocol import Collections, Store
from app.web import deeds, problems
from app.web.limits import Limits
from app.web.problems import Problem, Refused

WRONG = "The address or the password is wrong."
NOWHERE = "You are in no tenant any more; ask for an invitation."
NOBODY = "user_"  # whom no tenant knows
AGENT = 200  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """The client that somebody signs in with."""

    source: Source
    agent: str

    def told(self) -> str:
        """Return what the client calls itself, as far as anybody would read it."""
        return "".join(each for each in self.agent if " " <= each <= "~")[:AGENT]


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A new session; `token` is what its cookie holds."""

    session: Session
    token: str = field(repr=False)


class Entrance:
    """Lets people in who know their password."""

    def __init__(self, store: Store, passwords: Passwords, limits: Limits) -> None:
        self._store, self._passwords = store, passwords
        self._accounts, self._members = store.accounts, store.members
        self._limits = limits

    def prove(self, email: str, password: str, visitor: Visitor) -> User:
        """Return the user who knows this password; nobody learns which users exist.

        Raises:
            Refused: 401, there is none.
            RateLimited: too many tries.
            Overloaded: too many hashes are wanted at once.
        """
        self._limits.sign_in(email, visitor.source.address)
        user = self._accounts.by_email(email)
        stored = None if user is None else user.password_hash
        if not self._passwords.verify(stored, password) or user is None:
            self._tell_refused(email, user, visitor)
            raise Refused(problems.unauthorized(WRONG))
        self._limits.signed_in(email)
        return self._up_to_date(user, password)

    def log_in(
        self, email: str, password: str, tenant_id: str | None, visitor: Visitor
    ) -> Begun:
        """Begin a session in a tenant, by default in the one that was joined first.

        Raises:
            Refused: 401, the password is wrong; 403, the user is in no tenant.
            NotFound: not in this tenant.
            RateLimited: too many tries.
            Overloaded: too many hashes are wanted at once.
            Conflict: the password was changed at the same time.
        """
        user = self.prove(email, password, visitor)
        begun = begin(self._place(user.id, tenant_id), visitor)
        deed = deeds.session_begun(begun.session)
        self._telling(begun, visitor, deed).sessions.add(
            begun.session, password_hash=user.password_hash
        )
        return begun

    def switch(self, session: Session, tenant_id: str, visitor: Visitor) -> Begun:
        """Go on in another tenant, with another secret.

        Raises:
            NotFound: not in this tenant, or the session has ended.
        """
        member = self._members.get(tenant_id, session.user_id)
        token = tokens.new()
        other = replace(
            session,
            id=ids.new("sess"),
            token_hash=tokens.digest(token),
            tenant_id=tenant_id,
            role=member.role,
            used_at=times.now(),
        )
        begun = Begun(session=other, token=token)
        deed = deeds.session_begun(other)
        self._telling(begun, visitor, deed).sessions.replace(session, other)
        return begun

    def change_password(
        self, session: Session, password: str, new: str, visitor: Visitor
    ) -> Begun:
        """Replace a password, and all sessions of the user by a new one.

        Raises:
            Refused: 401, the present password is wrong.
            RateLimited: too many tries.
            Overloaded: too many hashes are wanted at once.
            Conflict: it was changed at the same time.
        """
        email = self._accounts.user(session.user_id).email
        user = self.prove(email, password, visitor)
        hashed = self._passwords.hash(new)
        begun = begin(self._members.get(session.tenant_id, user.id), visitor)
        deed = deeds.password_changed(user)
        self._telling(begun, visitor, deed).accounts.change_password(
            user.id, hashed, was=user.password_hash, session=begun.session
        )
        return begun

    def leave(self, session: Session) -> None:
        """End a session, if it has not ended already."""
        with suppress(NotFound):
            self._store.sessions.end(session.user_id, session.id)

    def _tell_refused(self, email: str, user: User | None, visitor: Visitor) -> None:
        """Tell the owners of a user's tenants; for nobody it takes as long."""
        places = self._members.of(user.id if user else NOBODY)
        if self._limits.tells(email):
            for each in places:
                actor = Actor(tenant_id=each.tenant_id, source=visitor.source)
                self._store.audit.add(actor.did(deeds.login_refused(each.user_id)))

    def _telling(self, begun: Begun, visitor: Visitor, deed: Deed) -> Collections:
        """Return the store; a change is told in the log of the session's tenant."""
        session = begun.session
        actor = Actor(
            tenant_id=session.tenant_id,
            user_id=session.user_id,
            via=session.id,
            source=visitor.source,
        )
        return self._store.noting(lambda _: [actor.did(deed)])

    def _place(self, user_id: str, tenant_id: str | None) -> Member:
        if tenant_id is not None:
            return self._members.get(tenant_id, user_id)
        places: Sequence[Member] = self._members.of(user_id)
        if not places:
            raise Refused(Problem(status=403, code="no-tenant", detail=NOWHERE))
        return places[0]

    def _up_to_date(self, user: User, password: str) -> User:
        """Hash a password again if it was hashed as nobody does any more."""
        if not self._passwords.is_outdated(user.password_hash):
            return user
        better = self._passwords.hash(password)
        self._accounts.rehash(user.id, better, was=user.password_hash)
        return replace(user, password_hash=better)


def begin(member: Member, visitor: Visitor) -> Begun:
    """Make a session of a member, who has proved to be one."""
    at, token = times.now(), tokens.new()
    session = Session(
        id=ids.new("sess"),
        token_hash=tokens.digest(token),
        user_id=member.user_id,
        tenant_id=member.tenant_id,
        role=member.role,
        created_at=at,
        used_at=at,
        address=visitor.source.address or "",
        agent=visitor.told(),
    )
    return Begun(session=session, token=token)
