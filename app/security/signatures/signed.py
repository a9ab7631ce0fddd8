"""What a signature is checked on, where its parts stand, and what comes of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any, Protocol

from app.domain import body

LONGEST = 4096  # bytes of a header that are looked at


class Verdict(StrEnum):
    """What came of checking a signature; the sender learns only OK or not."""

    OK = "ok"
    MISSING = "missing"  # a part that the scheme needs is not there
    MALFORMED = "malformed"  # a part is there and cannot be one
    STALE = "stale"  # the signature is right, and its time is too far away
    BAD = "bad"


@dataclass(frozen=True, kw_only=True)
class Signed:
    """One request, as far as signatures cover it; every part may be hostile."""

    body: bytes
    headers: Mapping[str, bytes]  # names in lower case
    method: str = "POST"
    url: str = ""  # as the sender knows it, without the query
    query: str = ""  # without the question mark

    @cached_property
    def value(self) -> Any:
        """What the body means by its content type; None if that is nothing."""
        return body.decode(self.body, self.kind).value

    @property
    def kind(self) -> str | None:
        """The content type."""
        kind = self.headers.get("content-type")
        return None if kind is None else kind.decode("latin-1")

    @property
    def address(self) -> bytes:
        """The URL with its query."""
        whole = f"{self.url}?{self.query}" if self.query else self.url
        return whole.encode("utf-8", "replace")


class Source(Protocol):
    """A place in a request where a part of a signature may stand."""

    def raw(self, signed: Signed) -> bytes | None:
        """Return all that stands there; None if nothing does."""
        ...

    def entries(self, signed: Signed) -> list[bytes]:
        """Return the entries that are of the wanted kind."""
        ...


@dataclass(frozen=True, slots=True)
class Header:
    """A header, or the entries of its list that begin with a prefix."""

    name: str  # in lower case
    prefix: bytes = b""  # in either case
    separator: bytes = b""  # none: the header is one entry

    def raw(self, signed: Signed) -> bytes | None:
        return signed.headers.get(self.name) or None

    def entries(self, signed: Signed) -> list[bytes]:
        raw = self.raw(signed)
        if raw is None or len(raw) > LONGEST:
            return []
        listed = raw.split(self.separator) if self.separator else [raw]
        length = len(self.prefix)
        stripped = [each.strip() for each in listed]
        wanted = self.prefix.lower()
        return [each[length:] for each in stripped if each[:length].lower() == wanted]


@dataclass(frozen=True, slots=True)
class Field:
    """A text or whole number in a JSON body or a form: the first of some paths."""

    paths: tuple[tuple[str, ...], ...]

    def raw(self, signed: Signed) -> bytes | None:
        found = (_follow(signed.value, path) for path in self.paths)
        return next((each for each in found if each), None)

    def entries(self, signed: Signed) -> list[bytes]:
        raw = self.raw(signed)
        return [] if raw is None else [raw]


def field(*paths: str) -> Field:
    """Write a `Field` with dots between names."""
    return Field(tuple(tuple(each.split(".")) for each in paths))


def _follow(value: Any, path: tuple[str, ...]) -> bytes | None:
    for name in path:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return as_text(value)


def as_text(value: Any) -> bytes | None:
    """Write a text or a whole number of a body as bytes."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace")
    if isinstance(value, int) and not isinstance(value, bool):
        return b"%d" % value
    return None
