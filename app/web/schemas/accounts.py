"""Registration and identity."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr, StringConstraints

from app.domain.account import Role, Scope, Tenant, User
from app.security import passwords
from app.web.schemas.types import Name, Request, View

ADDRESS = r"^[^@\s\x00-\x1f\x7f]{1,64}@[^@\s\x00-\x1f\x7f]+$"


def _long_enough(value: SecretStr) -> SecretStr:
    least, most = passwords.MIN_LENGTH, passwords.MAX_BYTES
    text = value.get_secret_value()
    if len(text) < least or len(text.encode()) > most:
        raise ValueError(f"must have {least} characters or more, in {most} bytes")
    return value


def _address(value: str) -> str:
    if not re.fullmatch(ADDRESS, value):
        raise ValueError("must be an e-mail address, such as miller@example.com")
    return value


Email = Annotated[
    str,
    StringConstraints(strip_whitespace=True, to_lower=True, max_length=254),
    AfterValidator(_address),
    Field(json_schema_extra={"pattern": ADDRESS}),
]
Password = Annotated[
    SecretStr,
    AfterValidator(_long_enough),
    Field(json_schema_extra={"minLength": 8, "maxLength": 1024}),
]


class RegisterRequest(Request):
    """A person with a new tenant."""

    email: Email
    password: Password
    tenant: Name
    setup_token: SecretStr | None = None

    def known_token(self) -> str | None:
        """Return the setup token as it was sent, if it was."""
        if self.setup_token is None:
            return None
        return self.setup_token.get_secret_value()


class UserView(View):
    """A person."""

    id: str
    email: str

    @classmethod
    def of(cls, user: User) -> "UserView":
        """Show a user."""
        return cls(id=user.id, email=user.email)


class TenantView(View):
    """A tenant."""

    id: str
    name: str

    @classmethod
    def of(cls, tenant: Tenant) -> "TenantView":
        """Show a tenant."""
        return cls(id=tenant.id, name=tenant.name)


class RegisteredView(View):
    """What a registration made; the key is shown this once."""

    user: UserView
    tenant: TenantView
    api_key: str


class MeView(View):
    """Who is calling."""

    user: UserView
    tenant: TenantView
    role: Role
    scopes: list[Scope]
    csrf_token: str | None = None  # of a session; keys need none
