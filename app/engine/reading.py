"""What the expressions of a definition may read at the place where they stand."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from app.domain.expression import Expression, Scope
from app.domain.parsing import quoted
from app.domain.syntax import Path

ROOTS = {
    "trigger": frozenset({"body", "headers", "query", "method", "path", "received_at"}),
    "execution": frozenset({"id", "attempt", "workflow_id", "tenant_id"}),
    "steps": None,
    "vars": None,
}
LEAST = 3  # characters that suggest a word which begins with them
LOOP_ROOTS = frozenset({"item", "index"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where an expression stands: what has run before it, and what there is at all."""

    before: Collection[str]  # ids of steps whose output may be read
    known: Collection[str]  # ids of all steps
    roots: Collection[str] = frozenset(ROOTS)  # what has a value there

    def faults(self, expression: Expression) -> Iterator[str]:
        """Find what an expression reads and never can."""
        for path in sorted(expression.reads):
            fault = self._fault(path) if path else None
            if fault is not None:
                meant = expression.meant_by(path[0])
                advice = "" if path[0] in ROOTS or not meant else f"; {meant}"
                yield f"The expression {expression} reads {fault}{advice}."

    def _fault(self, path: Path) -> str | None:
        root, *names = path
        if root not in ROOTS:
            return self._unknown_root(root)
        if root not in self.roots:
            only = " and ".join(self.roots)
            return f"{quoted(root)}, which has no value here; only {only} has one"
        fields = ROOTS[root]
        if fields is not None and names and names[0] not in fields:
            known = ", ".join(sorted(fields))
            wrong = quoted(f"{root}.{names[0]}")
            return f"{wrong}, which does not exist; {root} has {known}"
        if root == "steps" and names:
            return self._unreadable_step(*names[:2])
        return None

    def _unknown_root(self, root: str) -> str:
        if root in LOOP_ROOTS:
            return f"`{root}`, which only exists in loops; they are not supported yet"
        hint = f" (did you mean steps.{root}.output?)" if root in self.known else ""
        roots = "trigger, steps, vars and execution"
        return f"{quoted(root)}, which does not exist; the roots are {roots}{hint}"

    def _unreadable_step(self, step_id: str, part: str = "output") -> str | None:
        name = quoted(step_id)
        if step_id not in self.known:
            return f"the step {name}, which does not exist{near(step_id, self.known)}"
        if step_id not in self.before:
            return f"the step {name}, which has not run before this one"
        if part != "output":
            return f"{quoted(part)} of the step {name}; a step has only `output`"
        return None


def can_differ(expression: Expression) -> bool:
    """Tell whether an expression depends on what it reads, or is null."""
    return bool(expression.reads) or expression.evaluate(Scope({})) is None


def near(word: str, words: Collection[str]) -> str:
    """Suggest the closest word, or one that begins so, if there is one."""
    wanted = word[:63].lower()
    begun = [each for each in words if each.startswith(wanted)]
    found = get_close_matches(wanted, words, 1) or (begun if len(word) >= LEAST else [])
    return f"; did you mean `{found[0]}`?" if found else ""
