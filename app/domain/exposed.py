"""Secrets that a definition would leave readable, and what to do about each.

What can be moved away when a definition is saved is `references`' to find. Here is what
stands where no credential can: told by names, for nothing else tells a secret.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

from app.domain import braces, jsons, masking, references
from app.domain.errors import Fault
from app.domain.parsing import InvalidExpression
from app.domain.template import child
from app.domain.workflow import Definition

MOST = 200  # secrets of one definition, each of which becomes a credential
LEAST = masking.LEAST  # characters of what may be a secret where other things stand
SEALED_AT = "headers, query, form or json of an http.request"
READABLE = (
    "is named like a secret and would stay readable; store it at /api/v1/credentials"
    f' and write {{"credential": name}} where it is sent, in {SEALED_AT}'
)
MIXED = (
    "holds an expression and beside it text that may be a secret and would stay"
    " readable; write it without an expression, or with nothing but one"
)
IN_URL = (
    "holds `{name}` in its query, which would stay readable; write it under `query`,"
    " where it becomes a credential"
)
USER_IN_URL = (
    "holds a user name or password before an @, which would stay readable; make a"
    " credential of type basic and name it as `credential`"
)
IN_TEXT = (
    "holds `{name}`, which would stay readable in a text; write the body as `json` or"
    " `form`, where it becomes a credential"
)
NUMBER = "is a number where a secret stands; write it as text, so that it can be sealed"
TOO_MANY = f"holds more than {MOST} different secrets; store some as credentials first"
_LITERAL = re.compile(r"'((?:\\.|[^'\\])*)'|`((?:\\.|[^`\\])*)`", re.DOTALL)
_SCHEME = re.compile(
    r"\s*(?:aws4-hmac-sha256|concealed|googlelogin|klaviyo-api-key|negotiate"
    r"|privatetoken|scram-sha-(?:1|256)|shared(?:accesssignature|key))\s+",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"[\s,;&\"/]+")
_PLAIN = frozenset({"services", "webhooks", "workflows"})  # of addresses of channels
_EXPRESSION = "\ufffc"  # stands for one where only the text around it matters


def faults(definition: Definition) -> Iterator[Fault]:
    """Find every secret that would stay, in a definition of any shape."""
    yield from _named(definition.get("vars"), "/vars")
    for section in references.SECTIONS:
        steps = definition.get(section)
        for index, step in enumerate(steps if isinstance(steps, list) else ()):
            if isinstance(step, dict) and isinstance(step.get("with"), dict):
                yield from _of_step(step, f"/{section}/{index}/with")
    moved = {each.secret for each in references.spots(definition) if each.secret}
    if len(moved) > MOST:
        yield Fault("", TOO_MANY)


def _of_step(step: Mapping[str, Any], base: str) -> Iterator[Fault]:
    values, uses = step["with"], step.get("uses")
    if uses == references.CALLING:
        yield from _of_call(values, base)
    elif uses in references.OWN_TYPES:
        yield from _of_channel(values.get("url"), f"{base}/url")
    else:
        yield from _named(values, base)


def _of_call(values: Mapping[str, Any], base: str) -> Iterator[Fault]:
    yield from _of_url(values.get("url"), f"{base}/url")
    for place in references.PLACES:
        yield from _beside(values.get(place), f"{base}/{place}")
    if isinstance(values.get("sign"), dict):
        yield from _beside(values["sign"], f"{base}/sign")
    body = values.get("body")
    if isinstance(body, str) and (name := _told_in(body)) is not None:
        yield Fault(f"{base}/body", IN_TEXT.format(name=name))


def _named(value: Any, pointer: str, *, told: bool = False) -> Iterator[Fault]:
    """Find what stands under the name of a secret, where none can be sealed."""
    if isinstance(value, dict):
        for name, each in value.items():
            tells = told or masking.tells(str(name))
            yield from _named(each, child(pointer, name), told=tells)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _named(each, child(pointer, index), told=told)
    elif told and _may_be_secret(value):
        yield Fault(pointer, READABLE)


def _beside(value: Any, pointer: str, *, told: bool = False) -> Iterator[Fault]:
    """Find what cannot be sealed under the name of a secret, where others are."""
    if isinstance(value, dict):
        for name, each in value.items():
            tells = told or masking.tells(str(name))
            yield from _beside(each, child(pointer, name), told=tells)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _beside(each, child(pointer, index), told=told)
    elif isinstance(value, str) and (told or masking.shows(value)) and mixed(value):
        yield Fault(pointer, MIXED)
    elif told and not isinstance(value, str) and _may_be_secret(value):
        yield Fault(pointer, NUMBER)


def _of_url(url: Any, pointer: str) -> Iterator[Fault]:
    if not isinstance(url, str):
        return
    text = _without_expressions(url)
    rest = text.partition("://")[2]
    if _EXPRESSION in text and "@" in re.split(r"[/?#]", rest)[0]:
        yield Fault(pointer, USER_IN_URL)
    for part in text.partition("#")[0].partition("?")[2].split("&"):
        name, _, value = part.partition("=")
        if masking.tells(unquote_plus(name)) and value.replace(_EXPRESSION, ""):
            yield Fault(pointer, IN_URL.format(name=unquote_plus(name)))


def _of_channel(url: Any, pointer: str) -> Iterator[Fault]:
    """Find a part of a channel's secret address beside an expression."""
    if isinstance(url, str) and "{{" in url:
        path = re.sub(r"^\s*https?://[^/{]*", "", url)
        if mixed(path):
            yield Fault(pointer, MIXED)


def mixed(text: str) -> bool:
    """Tell whether a text holds an expression and what may be a secret."""
    if "{{" not in text:
        return False
    return any(map(_is_long, _texts(text)))


def _texts(text: str) -> Iterator[str]:
    """Return what is written in a text, outside of its expressions and inside."""
    try:
        parts = list(braces.split(_SCHEME.sub("", text, count=1)))
    except InvalidExpression:  # told when it is compiled
        return
    for part in parts:
        if isinstance(part, str):
            yield from _BETWEEN.split(part)
        else:
            for found in _LITERAL.finditer(part.source):
                yield from _BETWEEN.split(found[1] or found[2] or "")


def _is_long(word: str) -> bool:
    """Tell whether a word may be a secret, and no label such as ``session=``."""
    label, equals, value = word.partition("=")
    value = value if equals and label else word
    is_label = value.endswith(":") or value in _PLAIN
    return len(value) >= LEAST and not is_label


def _may_be_secret(value: Any) -> bool:
    if isinstance(value, bool) or value is None:
        return False
    if isinstance(value, str) and "{{" in value:
        return mixed(value)
    return len(str(value).strip()) >= LEAST


def _told_in(body: str) -> str | None:
    """Return the name of a secret in a text that is JSON or a form."""
    try:
        parsed = jsons.parse(body.encode())
    except ValueError:
        parsed = None
    if parsed is None or not isinstance(parsed, dict | list):
        parsed = dict(parse_qsl(body)) if "=" in body else {}
    found = next(iter(_named(parsed, "")), None)
    return None if found is None else found.pointer.rpartition("/")[2]


def _without_expressions(text: str) -> str:
    try:
        parts = list(braces.split(text))
    except InvalidExpression:
        return text
    return "".join(e if isinstance(e, str) else _EXPRESSION for e in parts)
