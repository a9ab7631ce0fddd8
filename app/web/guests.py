"""People who come with an invitation. Knows no Flask."""

from app.domain import ids, times
from app.domain.account import Member, User
from app.domain.audit import Actor
from app.domain.errors import NotFound
from app.domain.invitation import GONE, Invitation
from app.domain.session import Session
from app.security import tokens
from app.security.passwords import Passwords
from app.store.protocol import Store
from app.web import deeds
from app.web.entrance import Entrance, Visitor
from app.web.limits import Limits
from app.web.problems import Problem, Refused

OTHER = (
    "This invitation is for another address than yours. Log out, and accept it with"
    " the password of its own user, or a new one."
)


class Guests:
    """Lets people in who were invited."""

    def __init__(
        self, store: Store, entrance: Entrance, passwords: Passwords, limits: Limits
    ) -> None:
        self._store = store
        self._accounts, self._invitations = store.accounts, store.invitations
        self._entrance, self._passwords = entrance, passwords
        self._limits = limits

    def accept(self, token: str, password: str, visitor: Visitor) -> Member:
        """Let in whoever proves to be the invited user, or becomes it.

        Raises:
            NotFound: the invitation is unknown, used, withdrawn or expired.
            Refused: 401, it is for a user with another password.
            Conflict: the user is a member already, or has just registered.
            RateLimited: too many tries.
            Overloaded: too many hashes are wanted at once.
        """
        invitation = self._find(token)
        if self._accounts.by_email(invitation.email) is None:
            self._limits.sign_up(visitor.source.address)
            user = self._newcomer(invitation, password)
        else:
            user = self._entrance.prove(invitation.email, password, visitor)
        return self._let_in(invitation, user, visitor)

    def accept_as(self, session: Session, token: str, visitor: Visitor) -> Member:
        """Let in the user who is logged in.

        Raises:
            NotFound: the invitation is unknown, used, withdrawn or expired.
            Refused: 403, it is for somebody else.
            Conflict: the user is a member already.
        """
        invitation = self._find(token)
        user = self._accounts.user(session.user_id)
        if user.email.lower() != invitation.email.lower():
            raise Refused(Problem(status=403, code="other-address", detail=OTHER))
        return self._let_in(invitation, user, visitor)

    def _find(self, token: str) -> Invitation:
        found = self._invitations.find(tokens.digest(token), at=times.now())
        if found is None:
            raise NotFound(GONE)
        return found

    def _newcomer(self, invitation: Invitation, password: str) -> User:
        return User(
            id=ids.new("user"),
            email=invitation.email,
            password_hash=self._passwords.hash(password),
            created_at=times.now(),
        )

    def _let_in(self, invitation: Invitation, user: User, visitor: Visitor) -> Member:
        actor = Actor(
            tenant_id=invitation.tenant_id,
            user_id=user.id,
            via=invitation.id,
            source=visitor.source,
        )
        told = self._store.noting(lambda joined: [actor.did(deeds.joined(joined))])
        return told.invitations.accept(invitation.token_hash, user, at=times.now())
