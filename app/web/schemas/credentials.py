"""Credentials: what goes in, and the little that comes out."""

from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field, RootModel, SkipValidation

from app.domain.credential import Credential
from app.web.schemas.credential_data import (
    DATA,
    AnyData,
    BasicData,
    BearerData,
    DiscordData,
    GenericData,
    HeaderData,
    Oauth2Data,
    QueryData,
    SecretData,
    SlackData,
    SmtpData,
    TwilioData,
)
from app.web.schemas.types import Limit, Name, Query, Request, Shown, View


def _no_template(name: str) -> str:
    if "{{" in name:
        raise ValueError("must not hold {{, which begins an expression")
    return name


def _known(kind: str) -> str:
    if kind not in DATA:
        raise ValueError(f"is not a known type: {', '.join(DATA)}")
    return kind


CredentialName = Annotated[Name, AfterValidator(_no_template)]
CredentialType = Annotated[
    str, AfterValidator(_known), Field(json_schema_extra={"enum": list(DATA)})
]


class _Named(Request):
    name: CredentialName


class SecretCredential(_Named):
    """A new credential of type secret."""

    type: Literal["secret"]
    data: SecretData


class BearerCredential(_Named):
    """A new credential of type bearer."""

    type: Literal["bearer"]
    data: BearerData


class BasicCredential(_Named):
    """A new credential of type basic."""

    type: Literal["basic"]
    data: BasicData


class HeaderCredential(_Named):
    """A new credential of type header."""

    type: Literal["header"]
    data: HeaderData


class QueryCredential(_Named):
    """A new credential of type query."""

    type: Literal["query"]
    data: QueryData


class SlackCredential(_Named):
    """A new credential of type slack."""

    type: Literal["slack"]
    data: SlackData


class DiscordCredential(_Named):
    """A new credential of type discord."""

    type: Literal["discord"]
    data: DiscordData


class SmtpCredential(_Named):
    """A new credential of type smtp."""

    type: Literal["smtp"]
    data: SmtpData


class TwilioCredential(_Named):
    """A new credential of type twilio."""

    type: Literal["twilio"]
    data: TwilioData


class Oauth2Credential(_Named):
    """A new credential of type oauth2."""

    type: Literal["oauth2"]
    data: Oauth2Data


class GenericCredential(_Named):
    """A new credential of type generic."""

    type: Literal["generic"]
    data: GenericData


AnyCredential = (
    SecretCredential
    | BearerCredential
    | BasicCredential
    | HeaderCredential
    | QueryCredential
    | SlackCredential
    | DiscordCredential
    | SmtpCredential
    | TwilioCredential
    | Oauth2Credential
    | GenericCredential
)


class CredentialRequest(RootModel[AnyCredential]):
    """A new credential; which fields `data` has follows from `type`."""

    root: AnyCredential = Field(discriminator="type")


class CredentialUpdate(Request):
    """Other data for a credential, and maybe another name; its type stays."""

    name: CredentialName | None = None
    type: CredentialType | None = None
    data: SkipValidation[AnyData]  # validated when the type is known


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


class ConsentView(View):
    """Where a person authorizes a credential, and until when the answer counts."""

    url: str
    expires_at: Shown


class ConsentAnswer(Query):
    """What a browser brings from an authorization server (RFC 6749, 4.1.2)."""

    model_config = ConfigDict(extra="ignore", frozen=True)  # servers add their own

    state: Annotated[str, Field(min_length=1, max_length=200)]
    code: Annotated[str, Field(min_length=1, max_length=4096)] | None = None
    error: str | None = None


class CredentialPage(View):
    """A page of credentials."""

    items: list[CredentialView]
    next_cursor: str | None
