"""What is written in texts that hold expressions: around them, and inside of them."""

import re
from collections.abc import Iterator

from app.domain import braces
from app.domain.expression import Expression
from app.domain.masking import LEAST
from app.domain.parsing import InvalidExpression

HOLE = "\ufffc"  # stands for an expression where only the text around it matters
_LITERAL = re.compile(r"'((?:\\.|[^'\\])*)'|`((?:\\.|[^`\\])*)`", re.DOTALL)
_NAMED = re.compile(  # a member of a new object, or a comparison
    r"""(?:"(?P<quoted>[^"]+)"|(?P<plain>(?<!\w)[A-Za-z_]\w*+))\s*+(?::|[=!]=)\s*"""
    r"""(?P<text>'(?:\\.|[^'\\])*'|`(?:\\.|[^`\\])*`)""",
    re.DOTALL,
)
_SCHEME = re.compile(  # those that are long enough to be taken for secrets
    r"\s*(?:aws4-hmac-sha256|concealed|googlelogin|klaviyo-api-key|negotiate"
    r"|privatetoken|scram-sha-(?:1|256)|shared(?:accesssignature|key))\s+",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"[\s,;&\"/]+")
_PLAIN = frozenset({"services", "webhooks", "workflows"})  # of addresses of channels


def mixed(text: str) -> bool:
    """Tell whether a text holds an expression and what may be a secret."""
    return "{{" in text and any(map(_is_long, _words(text)))


def around(text: str) -> str:
    """Return a text with a mark in the place of each expression."""
    parts = _split(text) or [text]
    return "".join(each if isinstance(each, str) else HOLE for each in parts)


def inside(text: str) -> Iterator[str]:
    """Return the texts that are written in the expressions of a text."""
    for source in sources(text):
        for found in _LITERAL.finditer(source):
            yield found[1] or found[2] or ""


def sources(text: str) -> Iterator[str]:
    """Return the expressions in a text."""
    yield from (each.source for each in _split(text) if isinstance(each, Expression))


def named(source: str) -> Iterator[tuple[str, str]]:
    """Return the names in an expression that have a text beside them, and the text."""
    for found in _NAMED.finditer(source):
        yield found["quoted"] or found["plain"], found["text"][1:-1]


def _split(text: str) -> list[str | Expression]:
    try:
        return list(braces.split(text))
    except InvalidExpression:  # told when it is compiled
        return []


def _words(text: str) -> Iterator[str]:
    scheme = _SCHEME.match(text)
    for part in _split(text[scheme.end() :] if scheme else text):
        if isinstance(part, str):
            yield from _BETWEEN.split(part)
    for literal in inside(text):
        yield from _BETWEEN.split(literal)


def _is_long(word: str) -> bool:
    """Tell whether a word may be a secret, and no label such as ``session=``."""
    label, equals, value = word.partition("=")
    value = value if equals and label else word
    is_label = value.endswith(":") or value in _PLAIN
    return len(value) >= LEAST and not is_label
