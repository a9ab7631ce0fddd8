"""From an expression's source to its syntax tree, with messages for its author."""

from typing import Any

from jmespath.exceptions import (
    IncompleteExpressionError,
    JMESPathError,
    LexerError,
    ParseError,
)
from jmespath.lexer import Lexer
from jmespath.parser import Parser

from app.domain import hints, jsons, syntax
from app.domain.syntax import Node

MAX_SOURCE = 2048  # characters
_QUOTED = 60  # characters of a text in a message
_HINTS = {
    "=": "compare with ==",
    "+": "there is no arithmetic",
    "*": "there is no arithmetic",
    "/": "there is no arithmetic",
    "-": 'quote a name that holds a dash: "content-type"',
    "$": "names start at the root: trigger.body.id",
}
_NOT_JSON = "between backticks stands JSON; write text in single quotes: 'gold'"


class InvalidExpression(ValueError):
    """An expression cannot be used; the message says where, why and what to do.

    Args:
        message: what is wrong.
        position: characters before the fault, in the expression's source.
    """

    def __init__(self, message: str, position: int = 0) -> None:
        super().__init__(message)
        self.position = position


def parse(source: str) -> Node:
    """Return the syntax tree.

    Raises:
        InvalidExpression: it is no JMESPath, or cannot be used for another reason.
    """
    if len(source) > MAX_SOURCE:
        raise InvalidExpression(
            f"The expression has {len(source)} characters; the most is {MAX_SOURCE}."
        )
    try:
        _check_literals(source)
        tree = Parser().parse(source).parsed
    except PendingDeprecationWarning as error:
        raise _invalid(source, source.index("`"), _NOT_JSON) from error
    except ParseError as error:
        raise _invalid(source, *_locate(error, source)) from error
    except JMESPathError as error:
        raise _invalid(source, 0, "it is empty") from error
    except (RecursionError, MemoryError) as error:
        raise _invalid(source, 0, "it is nested too deeply") from error
    for fault in syntax.faults(tree):
        raise InvalidExpression(f"The expression {quoted(source)} {fault}.")
    return tree


def _check_literals(source: str) -> None:
    """Refuse what stands in backticks and is not JSON; jmespath makes text of it."""
    for token in Lexer().tokenize(source):
        at, kind = token["start"], token["type"]
        value: Any = token["value"]
        is_json = kind == "literal" and source[at] == "`"
        is_quoted = source[at + 1 :].lstrip().startswith('"')
        if is_json and isinstance(value, str) and not is_quoted:
            raise PendingDeprecationWarning
        if is_json or kind == "quoted_identifier":
            try:
                jsons.encode(value)
            except ValueError as error:
                raise _invalid(source, at, str(error)) from error


def _locate(error: ParseError, source: str) -> tuple[int, str]:
    if isinstance(error, LexerError):
        hint = _HINTS.get(error.lexer_value)
        what = error.message[:1].lower() + error.message[1:]
        return error.lexer_position, f"{what}; {hint}" if hint else what
    if isinstance(error, IncompleteExpressionError) or error.token_value == "":
        return len(source), "it ends too early"
    if error.msg.startswith("Quoted"):
        return error.lex_position, "a name in double quotes is a field, not a function"
    at, value = error.lex_position, error.token_value
    hint = hints.for_token(error.token_type, value, at, source)
    what = f"unexpected {repr(value)[:_QUOTED]}"
    return at, f"{what}; {hint}" if hint else what


def _invalid(source: str, position: int, what: str) -> InvalidExpression:
    message = f"The expression {quoted(source)} is wrong at character {position + 1}"
    return InvalidExpression(f"{message}: {what}.", position)


def quoted(source: str) -> str:
    """Quote an author's text in a message, shortened."""
    short = source if len(source) <= _QUOTED else f"{source[:_QUOTED]}…"
    return f"`{short}`"
