"""Logging in, and sessions."""

from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from app.domain.account import Role, Tenant
from app.domain.session import Session
from app.security import passwords
from app.web.schemas.accounts import Email, Password
from app.web.schemas.types import Limit, Query, Request, Shown, View, Word


def _not_too_long(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if not 0 < len(text.encode()) <= passwords.MAX_BYTES:
        raise ValueError(f"must have 1 to {passwords.MAX_BYTES} bytes")
    return value


Present = Annotated[
    SecretStr,
    AfterValidator(_not_too_long),
    Field(json_schema_extra={"minLength": 1, "maxLength": passwords.MAX_BYTES}),
]


class LoginRequest(Request):
    """Who wants to log in, and where."""

    email: Email
    password: Present
    tenant_id: Word | None = None


class SwitchRequest(Request):
    """Where to go on."""

    tenant_id: Word


class PasswordRequest(Request):
    """The present password and the next one."""

    password: Present
    new_password: Password


class PlaceView(View):
    """A tenant one is in."""

    id: str
    name: str
    role: Role

    @classmethod
    def of(cls, tenant: Tenant, role: Role) -> "PlaceView":
        """Show a tenant to a member."""
        return cls(id=tenant.id, name=tenant.name, role=role)


class PlacesView(View):
    """The tenants one is in, the first joined first."""

    items: list[PlaceView]
    next_cursor: None


class SessionQuery(Query):
    """Which sessions a list shows."""

    limit: Limit = 50
    cursor: str | None = None


class SessionView(View):
    """A session."""

    id: str
    tenant_id: str
    created_at: Shown
    last_used_at: Shown  # to within a minute
    expires_at: Shown
    address: str
    agent: str
    current: bool

    @classmethod
    def of(cls, session: Session, *, is_current: bool) -> "SessionView":
        """Show a session."""
        return cls(
            id=session.id,
            tenant_id=session.tenant_id,
            created_at=session.created_at,
            last_used_at=session.used_at,
            expires_at=session.expires_at,
            address=session.address,
            agent=session.agent,
            current=is_current,
        )


class SessionPage(View):
    """A page of sessions."""

    items: list[SessionView]
    next_cursor: str | None
