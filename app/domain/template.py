"""Templates: JSON values whose strings may hold ``{{ expression }}``."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from app.domain import braces, jsons
from app.domain.errors import Fault, StepFailed
from app.domain.expression import Expression, Scope
from app.domain.interpreter import SIZE, STEPS, Budget
from app.domain.parsing import InvalidExpression

MAX_RENDERED = 1 << 20  # bytes of JSON that one template may become
_SHARES = 10  # budgets of one expression that a whole template may use


class InvalidTemplate(ValueError):
    """A template cannot be used; `faults` point into the value it was made from."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(each.message for each in faults))
        self.faults = tuple(faults)


class Template:
    """One compiled JSON value; immutable. Keys of objects stay as they are.

    Args:
        value: JSON, nested no deeper than `jsons.MAX_DEPTH`; never changed.

    Raises:
        InvalidTemplate: with all faults of all strings.
    """

    __slots__ = ("_part", "expressions")

    def __init__(self, value: Any) -> None:
        builder = _Builder()
        self._part = builder.build(value, "")
        if builder.faults:
            raise InvalidTemplate(builder.faults)
        self.expressions = tuple(builder.expressions)  # with a JSON pointer each

    @property
    def is_constant(self) -> bool:
        """Whether it renders to the same value in every scope."""
        return not self.expressions

    def render(self, scope: Scope, *, limit: int = MAX_RENDERED) -> Any:
        """Fill in every expression; results are data and never evaluated again.

        The value shares parts with the scope and the template; do not change it.

        Args:
            scope: what expressions see.
            limit: what the result may take as JSON, bytes.

        Raises:
            StepFailed: ``expression`` or ``body-parse`` from an expression,
                ``too-large`` beyond the limit.
        """
        try:
            value = self._part.fill(_Filling(scope, limit))
            if self.expressions:
                jsons.measure(value, limit=limit)
        except jsons.TooLarge as error:
            message = (
                f"Filled in, this takes more than {limit} bytes."
                " Use less of what the expressions give."
            )
            raise StepFailed("too-large", message) from error
        except ValueError as error:
            message = f"An expression gives what is not JSON: {error}."
            raise StepFailed("expression", message) from error
        return value


def bare(text: str) -> Expression:
    """Compile what is an expression as a whole, with or without braces around it.

    Raises:
        InvalidExpression: it is neither.
    """
    source = text.strip()
    if not source.startswith("{{"):
        return Expression(source)
    parts = list(braces.split(source))
    if len(parts) == 1 and isinstance(parts[0], Expression):
        return parts[0]
    raise InvalidExpression("Write one expression, with no text around it.")


@dataclass(slots=True)
class _Filling:
    """One rendering: what is seen, and what may still be spent."""

    scope: Scope
    left: int  # bytes of text
    budget: Budget = field(
        default_factory=lambda: Budget(_SHARES * STEPS, _SHARES * SIZE)
    )

    def evaluate(self, expression: Expression) -> Any:
        return expression.evaluate(self.scope, self.budget)

    def text(self, value: Any) -> str:
        """Write a value in the middle of a text, and count it."""
        if isinstance(value, str):
            text = value
        else:
            text = jsons.encode(value, limit=self.left).decode()
        self.left -= len(text)
        if self.left < 0:
            raise jsons.TooLarge
        return text


class _Part(Protocol):
    def fill(self, filling: _Filling) -> Any: ...


@dataclass(frozen=True, slots=True)
class _Constant:
    value: Any

    def fill(self, _: _Filling) -> Any:
        return self.value


@dataclass(frozen=True, slots=True)
class _Value:
    expression: Expression

    def fill(self, filling: _Filling) -> Any:
        return filling.evaluate(self.expression)


@dataclass(frozen=True, slots=True)
class _Text:
    parts: Sequence[str | Expression]

    def fill(self, filling: _Filling) -> str:
        return "".join([self._written(part, filling) for part in self.parts])

    def _written(self, part: str | Expression, filling: _Filling) -> str:
        if isinstance(part, str):
            return filling.text(part)
        value = filling.evaluate(part)
        if value is None:
            message = (
                f"The expression {part} is null in the middle of a text."
                " Give it a default, as in {{ a || 'default' }}."
            )
            raise StepFailed("expression", message)
        return filling.text(value)


@dataclass(frozen=True, slots=True)
class _Object:
    members: Sequence[tuple[str, _Part]]

    def fill(self, filling: _Filling) -> dict[str, Any]:
        return {key: part.fill(filling) for key, part in self.members}


@dataclass(frozen=True, slots=True)
class _List:
    members: Sequence[_Part]

    def fill(self, filling: _Filling) -> list[Any]:
        return [part.fill(filling) for part in self.members]


class _Builder:
    """Compiles a value and collects what is in it, with JSON pointers."""

    def __init__(self) -> None:
        self.expressions: list[tuple[str, Expression]] = []
        self.faults: list[Fault] = []

    def build(self, value: Any, pointer: str) -> _Part:
        if isinstance(value, str):
            return self._string(value, pointer) if "{{" in value else _Constant(value)
        if isinstance(value, dict):
            members = [(k, self.build(v, child(pointer, k))) for k, v in value.items()]
            return (
                _Object(members)
                if _vary(part for _, part in members)
                else _Constant(value)
            )
        if isinstance(value, list):
            parts = [self.build(v, child(pointer, i)) for i, v in enumerate(value)]
            return _List(parts) if _vary(parts) else _Constant(value)
        return _Constant(value)

    def _string(self, text: str, pointer: str) -> _Part:
        try:
            parts = list(braces.split(text))
        except InvalidExpression as error:
            self.faults.append(Fault(pointer, str(error)))
            return _Constant(text)
        found = [part for part in parts if isinstance(part, Expression)]
        self.expressions += [(pointer, each) for each in found]
        rest = [part for part in parts if isinstance(part, str) and part.strip()]
        if len(found) == 1 and not rest:
            return _Value(found[0])
        return _Text(parts)


def child(pointer: str, key: str | int) -> str:
    """Extend a JSON pointer (RFC 6901) by one key or index."""
    return f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}"


def _vary(parts: Iterator[_Part] | list[_Part]) -> bool:
    return any(not isinstance(part, _Constant) for part in parts)
