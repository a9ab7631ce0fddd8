"""Compiling the parts of a definition's steps, one by one, whatever else is wrong."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from app.connectors.registry import Connector, Registry
from app.domain import references
from app.domain.errors import Fault
from app.domain.execution import ANSWERING
from app.domain.expression import Expression
from app.domain.parsing import InvalidExpression
from app.domain.template import InvalidTemplate, Template, bare
from app.engine import faults
from app.engine.reading import Place, can_differ, near

SECTIONS = ("steps", "on_failure")
KEY_ROOTS = ("trigger",)  # what a key is made of
ALWAYS_THE_SAME = (
    "reads nothing of the delivery, so that every one would be a duplicate;"
    " read a part of trigger, or write `null` in backticks for no key"
)
_LATER_KINDS = frozenset({"workflow.run"})
_AT_ONCE = (None, "immediately")
UNHEARD = (
    "answers nobody, for nobody waits; set `respond: on_finish` in the trigger, which"
    " must be a webhook, or leave this step out"
)


@dataclass(frozen=True, slots=True)
class Draft:
    """What a step needs to run; complete when there are no faults."""

    connector: type[Connector] | None
    settings: Template | None
    condition: Expression | None


class Drafter:
    """Compiles every step that has the shape of one, and collects the faults."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self.faults: list[Fault] = []

    def draft(self, definition: Mapping[str, Any]) -> dict[str, list[Draft]]:
        """Compile all steps of a definition, by section."""
        self.faults += _unheard(definition)
        ids: dict[str, str] = {}
        for base, step in _steps(definition):
            if isinstance(step.get("id"), str):
                self._note_id(step["id"], base, ids)
        self._key(definition.get("trigger"), ids.keys())
        before: set[str] = set()
        drafts: dict[str, list[Draft]] = {section: [] for section in SECTIONS}
        for base, step in _steps(definition):
            if len(self.faults) > faults.MOST:
                break  # looking for what was meant takes time
            place = Place(frozenset(before), ids.keys())
            drafts[base.split("/")[1]].append(self._step(step, base, place))
            if isinstance(step.get("id"), str):
                before.add(step["id"])
        return drafts

    def _note_id(self, step_id: str, base: str, ids: dict[str, str]) -> None:
        first = ids.setdefault(step_id, base)
        if first != base:
            self._add(f"{base}/id", f"is also the id of {first}; ids must be unique")

    def _step(self, step: Mapping[str, Any], base: str, place: Place) -> Draft:
        kind = self._kind(step.get("uses"), f"{base}/uses")
        values = references.marked(step) if "with" in step else {}
        settings = self._settings(values, f"{base}/with", place)
        if kind is not None and isinstance(values, dict):
            self._check(kind, values, f"{base}/with")
        return Draft(kind, settings, self._condition(step.get("if"), base, place))

    def _kind(self, name: Any, pointer: str) -> type[Connector] | None:
        if not isinstance(name, str):
            return None
        kind = self._registry.find(name)
        if kind is None and name in _LATER_KINDS:
            self._add(pointer, f"`{name}` is not supported yet")
        elif kind is None:
            names = sorted(self._registry)
            hint = near(name, names)
            known = ", ".join(names)
            self._add(pointer, f"is not a known kind of step: {known}{hint}")
        return kind

    def _settings(self, values: Any, pointer: str, place: Place) -> Template | None:
        try:
            settings = Template(values)
        except InvalidTemplate as error:
            for fault in error.faults:
                self._add(pointer + fault.pointer, fault.message)
            return None
        for where, expression in settings.expressions:
            self._check_reads(expression, pointer + where, place)
        return settings

    def _check(self, kind: type[Connector], values: Any, pointer: str) -> None:
        try:
            kind.model_validate(values)
        except ValidationError as error:
            self.faults += faults.certain(error, values, pointer, kind)

    def _condition(self, text: Any, base: str, place: Place) -> Expression | None:
        return self._expression(text, f"{base}/if", place)

    def _key(self, trigger: Any, known: Collection[str]) -> None:
        if not isinstance(trigger, dict):
            return
        place = Place(frozenset(), known, roots=KEY_ROOTS)
        pointer = "/trigger/dedupe"
        expression = self._expression(trigger.get("dedupe"), pointer, place)
        if expression is not None and not can_differ(expression):
            self._add(pointer, ALWAYS_THE_SAME)

    def _expression(self, text: Any, pointer: str, place: Place) -> Expression | None:
        if not isinstance(text, str):
            return None
        try:
            expression = bare(text)
        except InvalidExpression as error:
            self._add(pointer, str(error))
            return None
        self._check_reads(expression, pointer, place)
        return expression

    def _check_reads(self, expression: Expression, pointer: str, place: Place) -> None:
        if len(self.faults) <= faults.MOST:
            self.faults += [Fault(pointer, each) for each in place.faults(expression)]

    def _add(self, pointer: str, message: str) -> None:
        self.faults.append(Fault(pointer, message))


def _steps(definition: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for section in SECTIONS:
        steps = definition.get(section)
        for index, step in enumerate(steps if isinstance(steps, list) else []):
            if isinstance(step, dict):
                yield f"/{section}/{index}", step


def _unheard(definition: Mapping[str, Any]) -> Iterator[Fault]:
    """Find the steps that answer while nobody waits for the end."""
    trigger = definition.get("trigger")
    if not isinstance(trigger, dict) or trigger.get("respond") not in _AT_ONCE:
        return
    for base, step in _steps(definition):
        if step.get("uses") == ANSWERING:
            yield Fault(f"{base}/uses", UNHEARD)
