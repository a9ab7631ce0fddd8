"""Credentials: secrets of a tenant, known by name and never shown again."""

from base64 import b64decode
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from app.domain.errors import NotFound

# What nobody may see of each type; the rest of its fields is sealed all the same.
SECRETS: Mapping[str, tuple[str, ...]] = {
    "secret": ("value",),
    "bearer": ("token",),
    "basic": ("password",),
    "header": ("value",),
    "query": ("value",),
    "slack": ("url",),
    "discord": ("url",),
    "smtp": ("password",),
    "twilio": ("auth_token",),
    "oauth2": ("client_secret",),
    "generic": (),  # every field, whatever its name
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """One credential; each of its fields is sealed for itself."""

    tenant_id: str
    id: str
    name: str  # what definitions call it by; unique in the tenant
    type: str
    workflow_id: str | None  # the one it was written into; None: made on its own
    sealed: Mapping[str, bytes] = field(repr=False)
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A credential in the clear, for as long as a step needs it."""

    tenant_id: str
    id: str
    name: str
    type: str
    data: Mapping[str, str] = field(repr=False)

    def field(self, name: str) -> str:
        """Return one of its fields.

        Raises:
            NotFound: its type has none of this name.
        """
        if name not in self.data:
            raise NotFound(
                f"The credential `{self.name}` is of type {self.type}"
                f" and has no {name}."
            )
        return self.data[name]

    def secrets(self) -> Iterator[str]:
        """Return what must not be seen, in each form in which it is told as a whole."""
        named = SECRETS.get(self.type) or tuple(self.data)
        yield from (self.data[each] for each in named if each in self.data)
        if self.type == "basic":
            user, password = self.data["username"], self.data["password"]
            yield f"{user}:{password}"
            if not password:  # some services take a key as the name
                yield user
        if self.type in {"header", "secret"}:
            yield from _parts(self.data["value"])


def _parts(value: str) -> Iterator[str]:
    """Return what a server may tell of the value of a header."""
    value = value.strip()  # as it is sent
    word, _, shown = value.partition(" ")
    yield from (value, shown)
    if word.lower() == "basic":
        with suppress(ValueError):
            pair = b64decode(shown, validate=True).decode()
            yield from (pair, pair.partition(":")[2])
    for cookie in value.split(";"):
        yield cookie.partition("=")[2].strip()
