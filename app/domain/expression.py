"""Expressions: JMESPath that is checked when saved and bounded when evaluated."""

from dataclasses import dataclass
from typing import Any

from jmespath.exceptions import JMESPathTypeError
from jmespath.functions import TYPES_MAP

from app.domain import hints, jsons, syntax
from app.domain.errors import StepFailed
from app.domain.interpreter import Budget, Interpreter, OverBudget
from app.domain.parsing import parse, quoted
from app.domain.syntax import Node

_BODY = ("trigger", "body")


@dataclass(frozen=True, slots=True)
class Scope:
    """What expressions see; the same for all threads, extended by copying.

    Args:
        root: plain dicts: ``trigger``, ``steps``, ``vars``, ``execution``.
        body_error: why ``trigger.body`` could not be parsed, if it could not.
    """

    root: dict[str, Any]
    body_error: str | None = None

    def with_output(self, step_id: str, output: Any) -> "Scope":
        """Return a scope in which ``steps.<id>.output`` has a value."""
        steps = {**self.root.get("steps", {}), step_id: {"output": output}}
        return Scope({**self.root, "steps": steps}, self.body_error)


class Expression:
    """One compiled expression; immutable.

    Args:
        source: JMESPath, at most 2,048 characters.

    Raises:
        InvalidExpression: it does not compile, or would fail every time.
    """

    __slots__ = ("_path", "_tree", "reads", "source")

    def __init__(self, source: str) -> None:
        self.source = source
        self._tree = parse(source)
        self.reads = syntax.reads(self._tree)
        self._path = syntax.field_path(self._tree)

    def __str__(self) -> str:
        return quoted(self.source)

    @property
    def reads_body(self) -> bool:
        """Whether the body, a part of it, or something around it is used."""
        return any(path[:2] == _BODY[: len(path)] for path in self.reads)

    def meant_by(self, name: str) -> str | None:
        """Say what to write if a name at the root exists nowhere."""
        return hints.for_name(name, self.source)

    def holds(self, scope: Scope) -> bool:
        """Evaluate as a condition: all but null, false and what is empty is true.

        Raises:
            StepFailed: as `evaluate` does.
        """
        value = self.evaluate(scope)
        is_number = isinstance(value, int | float) and value is not False
        return is_number or bool(value)

    def evaluate(self, scope: Scope, budget: Budget | None = None) -> Any:
        """Return the value, which shares its parts with the scope; do not change it.

        It may hold a part many times over: measure it before writing it down.

        Args:
            scope: what it sees.
            budget: what it may cost, if several expressions share one; no expression
                gets more than the default, 10,000 steps and 1 MiB.

        Raises:
            StepFailed: ``expression``, it used up its budget or met a wrong type;
                ``body-parse``, it read a body that could not be parsed.
        """
        guard = None if scope.body_error is None else scope.root.get("trigger")
        try:
            if self._path is not None:
                return _look_up(self._path, scope.root, guard)
            reader = Interpreter() if guard is None else _GuardedInterpreter(guard)
            return reader.run(self._tree, scope.root, budget or Budget())
        except _BodyRead as error:
            raise StepFailed("body-parse", self._unparsed(scope)) from error
        except _RUN_TIME_ERRORS as error:
            message = f"The expression {self} {_explain(error)}."
            # jmespath puts the value at fault into its errors: it is not for a log
            raise StepFailed("expression", message) from None

    def _unparsed(self, scope: Scope) -> str:
        return (
            f"The expression {self} reads trigger.body, which could not"
            f" be parsed: {scope.body_error}"
        )


class _BodyRead(Exception):
    """An expression came to a body that has no value."""


class _GuardedInterpreter(Interpreter):
    def __init__(self, trigger: Any) -> None:
        super().__init__()
        self._trigger = trigger

    def visit_field(self, node: Node, value: Any) -> Any:
        if value is self._trigger and node["value"] == "body":
            raise _BodyRead
        return super().visit_field(node, value)


_RUN_TIME_ERRORS = (
    OverBudget,
    ValueError,  # of jmespath's errors, too
    TypeError,
    ArithmeticError,
    RecursionError,
    MemoryError,
)


def _look_up(path: syntax.Path, root: dict[str, Any], guard: Any) -> Any:
    """Do what the interpreter does for a path of names, ten times as fast."""
    value: Any = root
    for name in path:
        if guard is not None and value is guard and name == "body":
            raise _BodyRead
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _explain(error: Exception) -> str:
    """Say what happened, never with a value in it: values are other people's data."""
    if isinstance(error, JMESPathTypeError):
        found = TYPES_MAP.get(error.actual_type, error.actual_type)
        wanted = " or ".join(each.replace("-", " of ") for each in error.expected_types)
        return (
            f"gives {error.function_name}() a value of type {found};"
            f" it takes {wanted}. Give a default (a || '') or convert it"
        )
    if isinstance(error, OverBudget):
        return f"{error}. Filter or cut the list first, or take the expression apart"
    if isinstance(error, jsons.TooLarge):
        return "handles a value that is too large. Use a part of it"
    if isinstance(error, ArithmeticError):
        return "gets a number that is beyond the range of a 64-bit float"
    if isinstance(error, RecursionError | MemoryError):
        return "needs too much memory. Take it apart"
    return "meets values that cannot be compared or used together. Convert them"
