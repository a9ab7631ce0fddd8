"""What an expression's syntax tree tells before it is evaluated."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from jmespath.functions import Functions

from app.domain import hints

Node = Mapping[str, Any]  # of jmespath's syntax tree
Path = tuple[str, ...]  # names from the root
MAX_DEPTH = 64  # nodes inside each other
_CHAINS = frozenset({"subexpression", "index_expression", "pipe"})
_SCOPES = frozenset({"projection", "value_projection", "filter_projection"})
_GO_ON = _SCOPES | {"subexpression", "flatten"}
_ORDERS = frozenset({"lt", "lte", "gt", "gte"})
_TAKES_REFERENCE = frozenset({"map", "sort_by", "min_by", "max_by"})


def faults(tree: Node) -> Iterator[str]:
    """Find what would fail in every evaluation, a sentence's end each."""
    for depth, allowed, node in _nodes(tree):
        if depth > MAX_DEPTH:
            yield f"nests more than {MAX_DEPTH} levels; take it apart in a `set` step"
            return
        if node["type"] == "function_expression":
            yield from _faults_of_call(node["value"], node["children"])
        elif node["type"] == "comparator":
            yield from _faults_of_comparison(node["value"], node["children"])
        elif node["type"] == "slice" and node["children"][2] == 0:
            yield "has a slice with step 0, which never moves on"
        elif node["type"] in _GO_ON and node["children"][0]["type"] == "not_expression":
            yield "has `!a.b`, which means `(!a).b` and is always null; write `!(a.b)`"
        elif node["type"] == "expref" and not allowed:
            yield "has a `&` outside of map, sort_by, min_by and max_by"


def reads(tree: Node) -> frozenset[Path]:
    """Find which values under the root are used, each as far as names lead."""
    reader = _Reader()
    reader.use(tree, ())
    return frozenset(reader.found)


def field_path(tree: Node) -> Path | None:
    """Return the names of a plain path such as ``trigger.body.id``."""
    parts = [tree] if tree["type"] == "field" else tree["children"]
    is_chain = tree["type"] in {"field", "subexpression"}
    if is_chain and all(part["type"] == "field" for part in parts):
        return tuple(part["value"] for part in parts)
    return None


class _Reader:
    """Follows names from the root; what projections and filters see is not it."""

    def __init__(self) -> None:
        self.found: set[Path] = set()

    def use(self, node: Node, base: Path | None) -> None:
        """Note the path that a node's value has, if it is known."""
        path = self._follow(node, base)
        if path is not None:
            self.found.add(path)

    def _follow(self, node: Node, base: Path | None) -> Path | None:
        kind, children = node["type"], node["children"]
        if kind in {"identity", "current"}:
            return base
        if kind == "field":
            return None if base is None else (*base, node["value"])
        if kind in _CHAINS:
            for child in children:
                base = self._follow(child, base)
            return base
        self._use_parts(kind, children, base)
        return None

    def _use_parts(self, kind: str, children: list[Any], base: Path | None) -> None:
        if kind in {"index", "slice"} and base is not None:
            self.found.add(base)
        elif kind in _SCOPES:
            self.use(children[0], base)
            for child in children[1:]:
                self.use(child, None)
        elif kind != "slice":
            inner = None if kind == "expref" else base
            for child in children:
                self.use(child, inner)


def _nodes(tree: Node) -> Iterator[tuple[int, bool, Node]]:
    """Go through a tree: the depth, whether a reference may stand there, the node."""
    waiting = [(1, False, tree)]
    while waiting:
        depth, allowed, node = waiting.pop()
        yield depth, allowed, node
        if node["type"] != "slice":
            is_call = node["type"] == "function_expression"
            allows = is_call and node["value"] in _TAKES_REFERENCE
            waiting += [(depth + 1, allows, child) for child in node["children"]]


def _faults_of_comparison(operator: str, sides: list[Node]) -> Iterator[str]:
    """Find what is meant as a value and is none, inside of filters, too."""
    for side in sides:
        value: Any = side.get("value")
        if side["type"] == "field" and (hint := hints.for_literal(value)):
            yield f"compares with {value}, which is a name here; {hint}"
        is_text = side["type"] == "literal" and isinstance(value, str)
        if is_text and operator in _ORDERS and hints.is_number(value):
            hint = hints.for_number(value)
            yield f"orders by the text '{value}', which no number is; {hint}"


def _faults_of_call(name: str, arguments: list[Node]) -> Iterator[str]:
    spec = Functions.FUNCTION_TABLE.get(name)
    if spec is None:
        near = get_close_matches(name, Functions.FUNCTION_TABLE, 1)
        similar = f"did you mean {near[0]}()?" if near else "JMESPath has no others"
        hint = hints.for_word(name) or similar
        yield f"calls {name}(), which does not exist; {hint}"
        return
    wanted = len(spec["signature"])
    variadic = bool(spec["signature"][-1].get("variadic"))
    if len(arguments) < wanted or (len(arguments) > wanted and not variadic):
        least = "at least " if variadic else ""
        yield f"gives {name}() {len(arguments)} arguments; it takes {least}{wanted}"
