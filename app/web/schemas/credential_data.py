"""What each type of credential holds, and what fits into it."""

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    RootModel,
    SecretStr,
    StringConstraints,
    model_validator,
)
from pydantic_core import PydanticCustomError

from app.connectors.outgoing import parse_headers, parse_url
from app.web.schemas.types import Request, Word

LONGEST = 16_384  # characters of a value
MOST_FIELDS = 50  # of type generic
VISIBLE = re.compile(r"[\x21-\x7e]+")
PRINTABLE = re.compile(r"[\x20-\x7e]+")


def _checked(check: Callable[[str], object]) -> AfterValidator:
    """Check a secret; what is wrong with it is told without it."""

    def checked(value: SecretStr) -> SecretStr:
        check(value.get_secret_value())
        return value

    return AfterValidator(checked)


def _url(text: str) -> str:
    parse_url(text)
    return text


def _token(text: str) -> None:
    if not VISIBLE.fullmatch(text):
        raise ValueError(
            "must be visible ASCII characters without spaces: the token alone,"
            " without a word such as Bearer before it"
        )


def _header_value(text: str) -> None:
    if not PRINTABLE.fullmatch(text) or text != text.strip():
        raise ValueError(
            "must be printable ASCII characters, with no space around them"
        )


def _header_name(name: str) -> str:
    parse_headers({name: ""})
    if name.lower() == "host":
        raise ValueError("may not be Host, which follows from the URL")
    return name


def _user(name: str) -> str:
    if ":" in name:
        raise ValueError("may not hold a colon, which ends it (RFC 7617)")
    return name


def _host(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._:-]{1,253}", name):
        raise ValueError("must be the name or the address of a server, without a port")
    return name


def _account(text: str) -> str:
    if not re.fullmatch(r"AC[0-9a-fA-F]{32}", text):
        raise ValueError("must be AC and 32 hexadecimal digits, as Twilio shows it")
    return text


def _scopes(value: Any) -> Any:
    return value.split() if isinstance(value, str) else value


def _field_name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]{0,62}", name):
        raise PydanticCustomError(
            "field_name", "must be named with letters, digits, _ and -, at most 63"
        )
    return name


Value = Annotated[SecretStr, Field(min_length=1, max_length=LONGEST)]
Token = Annotated[Value, _checked(_token)]
Address = Annotated[Value, _checked(_url)]
HeaderName = Annotated[Word, AfterValidator(_header_name)]
PublicUrl = Annotated[str, Field(max_length=2048), AfterValidator(_url)]
ScopeToken = Annotated[
    str, StringConstraints(pattern=r"^[\x21\x23-\x5b\x5d-\x7e]+$", max_length=200)
]
Scopes = Annotated[
    list[ScopeToken],
    Field(max_length=100),
    BeforeValidator(_scopes, json_schema_input_type=str | list[ScopeToken]),
]


class Data(Request):
    """The fields of one type."""

    def plain(self) -> dict[str, str]:
        """Return the fields as texts, those that are not said left out."""
        return {name: _text(value) for name, value in self if value is not None}


class SecretData(Data):
    """A secret that signs, or proves a signature."""

    value: Value


class BearerData(Data):
    """A token, sent as ``Authorization: Bearer``."""

    token: Token


class BasicData(Data):
    """A name and a password, sent as ``Authorization: Basic``."""

    username: Annotated[Word, AfterValidator(_user)]
    password: Annotated[SecretStr, Field(max_length=LONGEST)]


class HeaderData(Data):
    """A header and its whole value."""

    name: HeaderName
    value: Annotated[Value, _checked(_header_value)]


class QueryData(Data):
    """A parameter of the URL's query."""

    name: Word
    value: Value


class SlackData(Data):
    """The URL of an incoming webhook."""

    url: Address


class DiscordData(Data):
    """The URL of a channel's webhook."""

    url: Address


class SmtpData(Data):
    """An account on a mail server."""

    host: Annotated[str, AfterValidator(_host)]
    port: Annotated[int, Field(ge=1, le=65_535)]
    username: Word
    password: Value


class TwilioData(Data):
    """An account of Twilio."""

    account_sid: Annotated[str, AfterValidator(_account)]
    auth_token: Token


class Oauth2Data(Data):
    """A client of an authorization server (RFC 6749).

    `client_auth` says how it shows its secret: in a header (`basic`) or in the `body`.
    """

    grant: Literal["client_credentials", "authorization_code"]
    client_id: Word
    client_secret: Value
    token_url: PublicUrl
    authorize_url: PublicUrl | None = None
    scopes: Scopes | None = None
    client_auth: Literal["basic", "body"] = "basic"

    @model_validator(mode="after")
    def _fits_the_grant(self) -> Self:
        asks = self.grant == "authorization_code"
        if asks and self.authorize_url is None:
            raise ValueError("needs authorize_url, where a person is asked")
        if not asks and self.authorize_url is not None:
            raise ValueError("has authorize_url, which only authorization_code takes")
        return self


class GenericData(RootModel[dict[Annotated[str, AfterValidator(_field_name)], Value]]):
    """Fields of any names, for what has no type of its own."""

    model_config = ConfigDict(strict=True, frozen=True)
    root: Annotated[
        dict[Annotated[str, AfterValidator(_field_name)], Value],
        Field(min_length=1, max_length=MOST_FIELDS),
    ]

    def plain(self) -> dict[str, str]:
        """Return the fields as texts."""
        return {name: _text(value) for name, value in self.root.items()}


AnyData = (
    SecretData
    | BearerData
    | BasicData
    | HeaderData
    | QueryData
    | SlackData
    | DiscordData
    | SmtpData
    | TwilioData
    | Oauth2Data
    | GenericData
)
DATA: Mapping[str, type[Data | GenericData]] = {
    "secret": SecretData,
    "bearer": BearerData,
    "basic": BasicData,
    "header": HeaderData,
    "query": QueryData,
    "slack": SlackData,
    "discord": DiscordData,
    "smtp": SmtpData,
    "twilio": TwilioData,
    "oauth2": Oauth2Data,
    "generic": GenericData,
}


def _text(value: Any) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return " ".join(value) if isinstance(value, list) else str(value)
