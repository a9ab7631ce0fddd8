"""Secrets that a definition would leave readable, and what to do about each.

What can be moved away when a definition is saved is `references`' to find. Here is what
stands where no credential can: told by names, for nothing else tells a secret.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

from app.domain import jsons, literals, masking, references
from app.domain.errors import Fault
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
    "holds `{name}` inside of a text, where it would stay readable; write it as a"
    " member of `json`, `form` or `query`, where it becomes a credential"
)
IN_EXPRESSION = (
    "has an expression with `{name}` beside a text, which would stay readable; leave"
    " the text out: let `verify` check what senders show, and a credential be sent"
)
NESTED = "is nested where a text is sent; write the secret as text, so it can be sealed"
NUMBER = "is a number where a secret stands; write it as text, so that it can be sealed"
TOO_MANY = f"holds more than {MOST} different secrets; store some as credentials first"
_PARAMETER = re.compile(r"[?&;#](?P<name>[^=?&;#/]+)=(?P<value>[^&;#]*)")


def faults(definition: Definition) -> Iterator[Fault]:
    """Find every secret that would stay, in a definition of any shape."""
    yield from _named(definition.get("vars"), "/vars")
    for section in references.SECTIONS:
        steps = definition.get(section)
        for index, step in enumerate(steps if isinstance(steps, list) else ()):
            if isinstance(step, dict):
                yield from _of_condition(step.get("if"), f"/{section}/{index}/if")
            if isinstance(step, dict) and isinstance(step.get("with"), dict):
                yield from _of_step(step, f"/{section}/{index}/with")
                yield from _in_expressions(step["with"], f"/{section}/{index}/with")
    moved = {each.secret for each in references.spots(definition) if each.secret}
    if len(moved) > MOST:
        yield Fault("", TOO_MANY)


def _of_step(step: Mapping[str, Any], base: str) -> Iterator[Fault]:
    values, uses = step["with"], step.get("uses")
    if uses == references.CALLING:
        yield from _of_call(values, base)
    elif isinstance(uses, str) and uses in references.OWN_TYPES:
        yield from _of_channel(values.get("url"), f"{base}/url")
    else:
        yield from _named(values, base)


def _of_call(values: Mapping[str, Any], base: str) -> Iterator[Fault]:
    yield from _of_url(values.get("url"), f"{base}/url")
    for place in references.FLAT:
        members = values.get(place)
        for name, value in members.items() if isinstance(members, dict) else ():
            told = references.tells_in(place, str(name))
            at = child(f"{base}/{place}", name)
            yield from _beside(value, at, told=told)
            yield from _nested(value, at, told=told)
    for place in ("json", "sign"):
        yield from _beside(values.get(place), f"{base}/{place}")
    body = values.get("body")
    if isinstance(body, str) and (name := _in_json(body) or _in_form(body)):
        yield Fault(f"{base}/body", IN_TEXT.format(name=name))


def _leaves(
    value: Any, pointer: str, *, told: bool = False
) -> Iterator[tuple[Any, str, bool]]:
    """Find what holds nothing further, and whether a name above it tells of secrets."""
    if isinstance(value, dict):
        for name, each in value.items():
            tells = told or masking.tells(str(name))
            yield from _leaves(each, child(pointer, name), told=tells)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _leaves(each, child(pointer, index), told=told)
    else:
        yield value, pointer, told


def _named(value: Any, pointer: str, *, told: bool = False) -> Iterator[Fault]:
    """Find what stands under the name of a secret, where none can be sealed."""
    for each, at, tells in _leaves(value, pointer, told=told):
        if tells and _may_be_secret(each):
            yield Fault(at, READABLE)


def _beside(value: Any, pointer: str, *, told: bool = False) -> Iterator[Fault]:
    """Find what cannot be sealed under the name of a secret, where others are."""
    for each, at, tells in _leaves(value, pointer, told=told):
        if not isinstance(each, str):
            if tells and _may_be_secret(each):
                yield Fault(at, NUMBER)
        elif (tells or masking.shows(each)) and literals.mixed(each):
            yield Fault(at, MIXED)
        elif not tells and (name := _in_json(each)):
            yield Fault(at, IN_TEXT.format(name=name))


def _of_url(url: Any, pointer: str) -> Iterator[Fault]:
    if not isinstance(url, str):
        return
    text = literals.around(url)
    rest = text.partition("://")[2]
    if literals.HOLE in text and "@" in re.split(r"[/?#]", rest)[0]:
        yield Fault(pointer, USER_IN_URL)
    for found in _PARAMETER.finditer(" ".join([text, *literals.inside(url)])):
        name = unquote_plus(found["name"])
        if masking.parameter_tells(name) and found["value"].replace(literals.HOLE, ""):
            yield Fault(pointer, IN_URL.format(name=name))


def _of_channel(url: Any, pointer: str) -> Iterator[Fault]:
    """Find a part of a channel's secret address beside an expression."""
    if isinstance(url, str) and "{{" in url:
        path = re.sub(r"^\s*https?://[^/{]*", "", url)
        if literals.mixed(path):
            yield Fault(pointer, MIXED)


def _nested(value: Any, pointer: str, *, told: bool) -> Iterator[Fault]:
    """Find secrets in what is sent as the JSON of an object, where text is expected."""
    for each in value if isinstance(value, list) else [value]:
        is_name = isinstance(each, dict) and each.keys() == {"credential"}
        if isinstance(each, dict | list) and not is_name and _holds(each, told=told):
            yield Fault(pointer, NESTED)


def _holds(value: Any, *, told: bool) -> bool:
    return next(_named(value, "", told=told), None) is not None


def _in_expressions(value: Any, pointer: str) -> Iterator[Fault]:
    """Find texts that expressions give the name of a secret, or compare with one."""
    for each, at, _ in _leaves(value, pointer):
        for source in literals.sources(each) if isinstance(each, str) else ():
            yield from _of_condition(source, at)


def _of_condition(source: Any, pointer: str) -> Iterator[Fault]:
    for name, text in literals.named(source) if isinstance(source, str) else ():
        if masking.tells(name) and len(text) >= LEAST:
            yield Fault(pointer, IN_EXPRESSION.format(name=name))


def _may_be_secret(value: Any) -> bool:
    if isinstance(value, bool) or value is None:
        return False
    if isinstance(value, str) and "{{" in value:
        return literals.mixed(value)
    return len(str(value).strip()) >= LEAST


def _in_json(text: str) -> str | None:
    """Return the name of a secret in a text that is JSON itself."""
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        return _name_in(jsons.parse(text.encode()))
    except ValueError:
        return None


def _in_form(text: str) -> str | None:
    """Return the name of a secret in a text that is a form."""
    is_form = "=" in text and not re.search(r"\s", literals.around(text))
    return _name_in(dict(parse_qsl(text))) if is_form else None


def _name_in(parsed: Any) -> str | None:
    found = next(_named(parsed, ""), None)
    return None if found is None else found.pointer.rpartition("/")[2]
