"""JMESPath with a budget: what an expression may cost, whatever it says."""

import math
from dataclasses import dataclass
from itertools import chain
from typing import Any

from jmespath import functions
from jmespath.visitor import Options, TreeInterpreter

from app.domain import jsons
from app.domain.syntax import Node

STEPS = 10_000  # nodes visited in one evaluation
SIZE = 1 << 20  # characters and members handled in one evaluation
_SIZED = (str, list, dict)


class OverBudget(Exception):
    """An evaluation was stopped; the message completes "the expression …"."""


@dataclass(slots=True)
class Budget:
    """What is left for several evaluations together; one thread uses it."""

    steps: int = STEPS
    size: int = SIZE


class _Functions(functions.Functions):
    """The functions of the specification, stopped before they grow something."""

    def __init__(self, interpreter: "Interpreter") -> None:
        self._interpreter = interpreter

    def call_function(self, function_name: str, resolved_args: Any) -> Any:
        sizes = (len(each) for each in resolved_args if type(each) in _SIZED)
        self._interpreter.charge(sum(sizes))
        result = super().call_function(function_name, resolved_args)
        if type(result) is float and not math.isfinite(result):
            raise OverflowError(function_name)
        return result

    @functions.signature({"types": ["string"]}, {"types": ["array-string"]})
    def _func_join(self, separator: str, array: list[str]) -> str:
        self._interpreter.charge(sum(map(len, array)) + len(separator) * len(array))
        return separator.join(array)

    @functions.signature({"types": []})
    def _func_to_string(self, value: Any) -> str:
        if isinstance(value, str):
            return value
        text = jsons.encode(value, limit=self._interpreter.size_left).decode()
        self._interpreter.charge(len(text))
        return text

    @functions.signature({"types": []})
    def _func_to_number(self, value: Any) -> Any:
        if isinstance(value, str):
            try:
                value = jsons.parse(value.encode())
            except ValueError:
                return None
        return value if _kind(value) == "number" else None

    @functions.signature({"types": ["array", "string"]}, {"types": []})
    def _func_contains(self, subject: list[Any] | str, search: Any) -> bool:
        if isinstance(subject, str):
            return isinstance(search, str) and search in subject
        self._interpreter.charge_copies(search, len(subject))
        return search in subject


_OPTIONS = Options(custom_functions=functions.Functions())  # not called: see below


class Interpreter(TreeInterpreter):
    """Evaluates one expression once.

    Each visit of a node is a step, so each member of a projection is one at least.
    What goes through values without visiting nodes is charged before it happens.
    """

    def __init__(self) -> None:
        super().__init__(_OPTIONS)
        self.steps_left = STEPS
        self.size_left = SIZE

    def run(self, tree: Node, root: Any, budget: Budget) -> Any:
        """Evaluate at the expense of a budget, but never for more than one's share."""
        steps = self.steps_left = min(STEPS, budget.steps)
        size = self.size_left = min(SIZE, budget.size)
        try:
            return self.visit(tree, root)
        finally:
            budget.steps -= steps - self.steps_left
            budget.size -= size - self.size_left

    def charge(self, size: int) -> None:
        """Spend characters or members."""
        self.size_left -= size
        if self.size_left < 0:
            raise OverBudget(f"handles more than {SIZE} characters and list members")

    def charge_copies(self, value: Any, times: int) -> None:
        """Spend what going through a value so many times may cost."""
        if isinstance(value, list | dict):
            self.charge(jsons.measure(value, limit=self.size_left) * times)

    def visit(self, node: Node, value: Any) -> Any:
        self.steps_left -= 1
        if self.steps_left < 0:
            raise OverBudget(f"takes more than {STEPS} steps")
        return getattr(self, "visit_" + node["type"])(node, value)

    def visit_function_expression(self, node: Node, value: Any) -> Any:
        arguments = [self.visit(child, value) for child in node["children"]]
        return _Functions(self).call_function(node["value"], arguments)

    def visit_field(self, node: Node, value: Any) -> Any:
        return value.get(node["value"]) if isinstance(value, dict) else None

    def visit_comparator(self, node: Node, value: Any) -> Any:
        left, right = (self.visit(child, value) for child in node["children"])
        if node["value"] in {"eq", "ne"}:
            self.charge_copies(left if type(left) is type(right) else None, 1)
        elif _kind(left) is None or _kind(left) != _kind(right):
            return None  # Python would raise, or order lists
        return self.COMPARATOR_FUNC[node["value"]](left, right)

    def visit_flatten(self, node: Node, value: Any) -> Any:
        base = self.visit(node["children"][0], value)
        if not isinstance(base, list):
            return None
        lists = [each if isinstance(each, list) else [each] for each in base]
        self.charge(sum(map(len, lists)))
        return list(chain.from_iterable(lists))

    def visit_multi_select_list(self, node: Node, value: Any) -> Any:
        self.charge(len(node["children"]))
        return super().visit_multi_select_list(node, value)  # type: ignore[arg-type]

    def visit_multi_select_dict(self, node: Node, value: Any) -> Any:
        self.charge(len(node["children"]))
        return super().visit_multi_select_dict(node, value)  # type: ignore[arg-type]


def _kind(value: Any) -> str | None:
    """Name what can be ordered."""
    if isinstance(value, str):
        return "string"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return "number"
    return None
