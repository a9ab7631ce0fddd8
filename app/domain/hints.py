"""Advice for expressions that are written as other languages would have them."""

import re
from typing import Any

WORDS = {"and": "&&", "or": "||", "not": "!"}
LITERALS = {
    "true": "true",
    "True": "true",
    "false": "false",
    "False": "false",
    "null": "null",
    "None": "null",
}
_NUMBER = re.compile(  # short enough for a message
    r"-?\d{1,30}(\.\d{1,30})?([eE][+-]?\d{1,3})?(?![\w.])", re.ASCII
)
_NOT = re.compile(r"(?<![\w.])not$")
_SUBSCRIPT = re.compile(r"(\w*)\[$")
_PLAIN = re.compile(r"[^'\"\\\x00-\x1f]{1,60}")  # fit for an example


def for_token(kind: str, value: Any, at: int, source: str) -> str | None:
    """Say what to write instead of a token that is unexpected at a position."""
    before = source[:at].rstrip()
    if kind == "NUMBER":
        return for_number(source[at:])
    if kind == "UNQUOTED_IDENTIFIER" and value in WORDS:
        return for_word(value)
    if _NOT.search(before):
        return for_word("not")
    name = _SUBSCRIPT.search(before)
    if name and isinstance(value, str) and _PLAIN.fullmatch(value):
        return f'write a name after a dot, in double quotes: {name[1]}."{value}"'
    return None


def for_number(text: str) -> str | None:
    """Show how the number is written with which a text begins, if it does."""
    number = _NUMBER.match(text)
    return number and f"write a number in backticks: `{number[0]}`"


def for_word(word: str) -> str | None:
    """Name the operator that a word stands for in other languages."""
    return f"write {WORDS[word]} for {word}" if word in WORDS else None


def for_literal(name: str) -> str | None:
    """Show how a value is written that stands there as a name."""
    meant = LITERALS.get(name)
    return meant and f"write {meant} in backticks: `{meant}`"


def for_name(name: str, source: str) -> str | None:
    """Say what may be meant by a name that does not exist at the root."""
    if f'"{name}"' in source:
        example = f": '{name}'" if _PLAIN.fullmatch(name) else ""
        return f"text is written in single quotes{example}"
    return for_literal(name)


def is_number(text: str) -> bool:
    """Tell whether a text is written as a number is."""
    return _NUMBER.fullmatch(text) is not None
