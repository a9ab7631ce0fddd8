"""Credentials: what goes in, and the little that comes out."""

from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from app.domain.credential import FIELDS, LATER, Credential
from app.web.schemas.types import Limit, Name, Query, Request, Shown, View

LONGEST = 16_384  # characters of a value


def _known(kind: str) -> str:
    if kind in LATER:
        raise ValueError(f"`{kind}` is not supported yet")
    if kind not in FIELDS:
        raise ValueError(f"is not a known type: {', '.join(FIELDS)}")
    return kind


def _no_template(name: str) -> str:
    if "{{" in name:
        raise ValueError("must not hold {{, which begins an expression")
    return name


CredentialName = Annotated[Name, AfterValidator(_no_template)]
CredentialType = Annotated[
    str, AfterValidator(_known), Field(json_schema_extra={"enum": list(FIELDS)})
]
Value = Annotated[SecretStr, Field(min_length=1, max_length=LONGEST)]
Data = dict[str, Value]


class CredentialRequest(Request):
    """A new credential; which fields `data` has follows from `type`."""

    name: CredentialName
    type: CredentialType
    data: Data


class CredentialUpdate(Request):
    """Other data for a credential, and maybe another name; its type stays."""

    name: CredentialName | None = None
    type: CredentialType | None = None
    data: Data


class CredentialQuery(Query):
    """Which credentials a list shows."""

    limit: Limit = 50
    cursor: str | None = None


class CredentialView(View):
    """A credential, without its data."""

    id: str
    name: str
    type: str
    workflow_id: str | None  # the workflow it was written into
    created_at: Shown
    updated_at: Shown

    @classmethod
    def of(cls, credential: Credential) -> "CredentialView":
        """Show a credential."""
        return cls(
            id=credential.id,
            name=credential.name,
            type=credential.type,
            workflow_id=credential.workflow_id,
            created_at=credential.created_at,
            updated_at=credential.updated_at,
        )


class CredentialPage(View):
    """A page of credentials."""

    items: list[CredentialView]
    next_cursor: str | None
