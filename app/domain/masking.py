"""Keeping values out of whatever is shown, in each form in which they may come back."""

import html
import json
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus, urlsplit

from app.domain import jsons

# What the names of secrets end with, in small letters and without - and _.
TELLING = (
    "accesskey",
    "apikey",
    "authkey",
    "authorization",
    "cookie",
    "passphrase",
    "passwd",
    "password",
    "privatekey",
    "pwd",
    "secret",
    "secretkey",
    "signingkey",
    "subscriptionkey",
    "token",
)
ALONE = frozenset({"credentials", "pass"})  # what secrets are named with no more to it
# What names of headers and parameters hold, for a secret that somebody shows.
OF_HEADERS = (
    "apikey", "auth", "credential", "password", "secret", "signature", "token",
)  # fmt: skip
OF_PARAMETERS = frozenset({"auth", "code", "key", "sig", "signature"})
STANDS_FOR = "[redacted]"
LEAST = 8  # characters; shorter ones would tear up innocent text
URL_SAFE = str.maketrans("+/", "-_")
_SHOWN = re.compile(r"\s*(apikey|basic|bearer|digest|token)\s+\S", re.IGNORECASE)
_AUTHOR = re.compile(  # a whole word that begins like a secret's
    r"(?<![a-z])(co-?)?author(ed|ing|ities|ity|s|ship)?(?![a-z])", re.IGNORECASE
)
_ESCAPE = re.compile(r"%[0-9A-F]{2}")


class Mask:
    """Values that must not be seen; not for several threads at once.

    Looked for are the values themselves, percent-encoded, as part of a Base64 text,
    escaped for JSON and for HTML; of a URL also what follows its host. A value of
    fewer than 8 characters is not looked for by itself.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._known: set[str] = set()
        self._forms: list[str] = []
        self._needles: list[bytes] = []  # the forms as they stand in JSON
        self._pattern = re.compile("")
        self.add(secrets)

    def __bool__(self) -> bool:
        return bool(self._forms)

    def add(self, secrets: Iterable[str]) -> None:
        """Hide these values too, from now on."""
        new = set(secrets) - self._known
        if not new:
            return
        self._known |= new
        found = {form for each in self._known for form in forms(each)}
        self._forms = sorted(found, key=len, reverse=True)
        self._needles = [jsons.encode(each)[1:-1] for each in self._forms]
        self._pattern = re.compile("|".join(map(re.escape, self._forms)))

    def text(self, text: str) -> str:
        """Return a text without the values."""
        if any(each in text for each in self._forms):
            return self._pattern.sub(STANDS_FOR, text)
        return text

    def value(self, value: Any) -> Any:
        """Return JSON without the values, names of members included."""
        if not self._forms:
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.value(name): self.value(each) for name, each in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(each) for each in value]
        return value

    def spots(self, encoded: bytes) -> bool:
        """Tell whether a value is in JSON as `jsons.encode` writes it."""
        return any(each in encoded for each in self._needles)


@lru_cache(4096)
def tells(name: str) -> bool:
    """Tell whether what bears this name is a secret, as far as names go."""
    folded = _folded(name)
    return folded.endswith(TELLING) or folded in ALONE


@lru_cache(4096)
def header_tells(name: str) -> bool:
    """Tell whether a header of this name shows a secret, as far as names go.

    In doubt it does: an author is none, an author's key may be one.
    """
    rest = _AUTHOR.sub("", name)
    if rest != name and any(map(parameter_tells, re.split("[-_]", rest))):
        return True
    return tells(name) or any(each in _folded(rest) for each in OF_HEADERS)


@lru_cache(4096)
def parameter_tells(name: str) -> bool:
    """Tell whether a parameter of this name is a secret, as far as names go."""
    return tells(name) or _folded(name) in OF_PARAMETERS


def _folded(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")


def shows(text: str) -> bool:
    """Tell whether a text shows somebody who is calling, as `Authorization` does."""
    return _SHOWN.match(text) is not None


def without_named(value: Any) -> Any:
    """Return JSON without what stands under the name of a secret."""
    if isinstance(value, dict):
        return {
            name: STANDS_FOR if tells(str(name)) else without_named(each)
            for name, each in value.items()
        }
    return [without_named(each) for each in value] if isinstance(value, list) else value


def forms(secret: str) -> set[str]:
    """Return the texts that would tell a value."""
    found = {form for each in _wholes(secret) for form in _written(each)}
    return {each for each in found if len(each) >= LEAST}


def _wholes(secret: str) -> Iterator[str]:
    """Return a value, and of a URL the part that is its secret."""
    if len(secret) < LEAST:
        return
    yield secret
    if secret.startswith(("http://", "https://")):
        _, _, path, query, _ = urlsplit(secret)
        told = [path, f"{path}?{query}", *(value for _, value in parse_qsl(query))]
        yield from (each for each in told if len(each) >= LEAST)


def _written(text: str) -> Iterator[str]:
    yield from (html.escape(text), html.escape(text, quote=False))
    for each in (text, jsons.encode(text).decode()[1:-1], json.dumps(text)[1:-1]):
        yield each
        yield each.encode().decode("latin-1")  # as headers are read
    for encoded in (quote(text), quote(text, safe=""), quote_plus(text)):
        yield encoded
        yield _ESCAPE.sub(lambda found: found[0].lower(), encoded)
    for inside in _in_base64(text.encode()):
        yield inside
        yield inside.translate(URL_SAFE)


def _in_base64(data: bytes) -> Iterator[str]:
    """Return what stands in every Base64 text of bytes that hold these.

    Three bytes become four characters, so there are three ways to begin; characters
    that depend on a neighbour as well are left out.
    """
    for before in range(3):
        encoded = b64encode(bytes(before) + data).decode()
        yield encoded[(0, 2, 3)[before] : (before + len(data)) * 8 // 6]
