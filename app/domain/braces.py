"""Where expressions begin and end in a text."""

import re
from collections.abc import Iterator

from app.domain.expression import Expression
from app.domain.parsing import InvalidExpression

_OPENING = re.compile(r"\{\{(\{\{)?")
_INSIDE = re.compile(
    r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`(?:\\.|[^`\\])*`|[{}'"`]""", re.DOTALL
)


def split(text: str) -> Iterator[str | Expression]:
    """Take a text apart; a literal ``{{`` is a part like other text.

    Raises:
        InvalidExpression: an expression is never closed, or does not compile.
    """
    at = 0
    while (opening := _OPENING.search(text, at)) is not None:
        if opening.start() > at:
            yield text[at : opening.start()]
        at = opening.end()
        if opening[1]:
            yield "{{"
            continue
        end = _closing(text, at)
        yield Expression(text[at:end].strip())
        at = end + 2
    if at < len(text):
        yield text[at:]


def _closing(text: str, start: int) -> int:
    """Find the first ``}}`` outside of quotes and balanced braces."""
    depth = 0
    for token in _INSIDE.finditer(text, start):
        kind, at = token[0], token.start()
        if kind == "{":
            depth += 1
        elif kind == "}" and depth:
            depth -= 1
        elif kind == "}" and text.startswith("}}", at):
            return at
        elif kind in {"'", '"', "`"}:
            break
    opened = start - 1
    message = (
        f"The {{{{ at character {opened} is never closed by }}}}; for two braces as"
        " text write {{{{"
    )
    raise InvalidExpression(message, opened - 1)
