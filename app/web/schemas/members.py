"""The people in a tenant."""

from app.domain.account import Member, Role
from app.web.schemas.types import Limit, Query, Request, Shown, View


class MemberQuery(Query):
    """Which members a list shows."""

    limit: Limit = 50
    cursor: str | None = None


class MemberChange(Request):
    """What becomes of a member."""

    role: Role


class MemberView(View):
    """A member; the id is the user's."""

    id: str
    email: str
    role: Role
    joined_at: Shown

    @classmethod
    def of(cls, member: Member) -> "MemberView":
        """Show a member."""
        return cls(
            id=member.user_id,
            email=member.email,
            role=member.role,
            joined_at=member.joined_at,
        )


class MemberPage(View):
    """A page of members."""

    items: list[MemberView]
    next_cursor: str | None
