"""Invitations."""

from app.domain.account import Role
from app.domain.invitation import Invitation
from app.web.schemas.accounts import Email, Password, TenantView, UserView
from app.web.schemas.types import Instant, Limit, Query, Request, Shown, View, Word


class InvitationRequest(Request):
    """Whom to let in, and as what."""

    email: Email
    role: Role
    expires_at: Instant | None = None


class InvitationQuery(Query):
    """Which invitations a list shows."""

    limit: Limit = 50
    cursor: str | None = None


class InvitationView(View):
    """An invitation, without its secret."""

    id: str
    email: str
    role: Role
    invited_by: str
    created_at: Shown
    expires_at: Shown

    @classmethod
    def of(cls, invitation: Invitation) -> "InvitationView":
        """Show an invitation."""
        return cls(
            id=invitation.id,
            email=invitation.email,
            role=invitation.role,
            invited_by=invitation.inviter_id,
            created_at=invitation.created_at,
            expires_at=invitation.expires_at,
        )


class NewInvitationView(InvitationView):
    """A new invitation; `token` and `link` are shown this once.

    Who is invited sends `{token, password}` to `accept_url`.
    """

    token: str
    link: str
    accept_url: str

    @classmethod
    def made(
        cls, invitation: Invitation, token: str, public_url: str
    ) -> "NewInvitationView":
        """Show an invitation together with its secret."""
        return cls(
            **dict(InvitationView.of(invitation)),
            token=token,
            link=f"{public_url}/accept-invitation#{token}",
            accept_url=f"{public_url}/api/v1/auth/accept-invitation",
        )


class InvitationPage(View):
    """A page of invitations."""

    items: list[InvitationView]
    next_cursor: str | None


class AcceptRequest(Request):
    """The secret of an invitation, and the password of who has one or sets one."""

    token: Word
    password: Password | None = None


class JoinedView(View):
    """Where somebody has become a member."""

    user: UserView
    tenant: TenantView
    role: Role
