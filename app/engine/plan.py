"""From a definition to a plan: everything checked once, nothing left to parse."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic import ValidationError

from app.connectors.registry import Connector, Registry
from app.domain import references
from app.domain.errors import Fault, Invalid, StepFailed
from app.domain.execution import OVER, StepRecord
from app.domain.expression import Expression, Scope
from app.domain.template import Template
from app.domain.workflow import Definition
from app.engine import faults, plaintext, verification
from app.engine.definition import DefinitionShape, StepShape
from app.engine.drafting import SECTIONS, Draft, Drafter
from app.engine.language import schema

STEP_TIMEOUT = 30.0  # seconds
EXECUTION_TIMEOUT = 300.0  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """How a failed step is tried again."""

    attempts: int = 1  # in all
    base: float = 0.5  # seconds
    max: float = 30.0  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStep:
    """One step, ready to be carried out."""

    id: str
    path: str  # its place in the journal
    uses: str
    connector: type[Connector]
    settings: Template
    condition: Expression | None
    retry: Retry
    timeout: float  # seconds, each attempt
    has_effect: bool
    reads: frozenset[str]  # ids of steps whose outputs it may look at

    def render(self, scope: Scope) -> Connector:
        """Fill in the settings and make the connector of them.

        Raises:
            StepFailed: ``expression``, ``body-parse`` or ``too-large`` from a
                template, ``invalid-settings`` when the result does not fit.
        """
        try:
            return self.connector.model_validate(self.settings.render(scope))
        except ValidationError as error:
            # pydantic quotes the values, which are not for a log
            raise StepFailed("invalid-settings", _misfit(error)) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A definition that was checked and compiled; immutable, shared by threads."""

    variables: dict[str, Any]
    steps: tuple[PlannedStep, ...]
    on_failure: tuple[PlannedStep, ...]
    timeout: float  # seconds of running time over all segments
    credentials: frozenset[str]  # names that its steps have

    def needs(self, begun: Mapping[str, StepRecord]) -> Collection[str]:
        """Return the steps whose outputs those may look at that are not over."""
        left = (
            each
            for each in (*self.steps, *self.on_failure)
            if each.path not in begun or begun[each.path].status not in OVER
        )
        return frozenset().union(*(each.reads for each in left)) & begun.keys()


class Compiler:
    """Makes plans.

    Args:
        registry: the kinds of steps that exist.
        max_steps: of one definition.
        time_limit: what a definition may ask for at most, seconds.
    """

    def __init__(
        self,
        registry: Registry,
        *,
        max_steps: int = 1000,
        time_limit: float = EXECUTION_TIMEOUT,
    ) -> None:
        self._registry = registry
        self._limits = {"max_steps": max_steps, "time_limit": time_limit}

    @cached_property
    def language(self) -> Mapping[str, Any]:
        """What may be compiled, as a JSON Schema."""
        return schema(self._registry)

    def credential_types(self, uses: str) -> tuple[str, ...]:
        """Return which types of credential a kind of step takes."""
        return self._registry.credential_types(uses)

    def compile(self, definition: Definition) -> Plan:
        """Check everything that can be known before it runs.

        Raises:
            Invalid: with all faults at once, each pointing into the definition.
        """
        _refuse(list(plaintext.faults(definition)))
        shape, found = self._shape(definition)
        drafter = Drafter(self._registry)
        drafts = drafter.draft(definition)
        told = verification.faults(definition.get("trigger"))
        _refuse([*found, *told, *drafter.faults])
        assert shape is not None
        steps = {each: definition.get(each) for each in SECTIONS}
        return self._plan(shape, drafts, references.names(steps))

    def _shape(
        self, definition: Definition
    ) -> tuple[DefinitionShape | None, list[Fault]]:
        try:
            shape = DefinitionShape.model_validate(definition, context=self._limits)
        except ValidationError as error:
            return None, list(faults.of(error, definition, DefinitionShape))
        return shape, []

    def _plan(
        self,
        shape: DefinitionShape,
        drafts: Mapping[str, list[Draft]],
        credentials: frozenset[str],
    ) -> Plan:
        limit = self._limits["time_limit"]
        known = frozenset(each.id for each in (*shape.steps, *shape.on_failure))
        return Plan(
            variables=shape.vars,
            steps=self._steps(shape.steps, drafts["steps"], known),
            on_failure=self._steps(shape.on_failure, drafts["on_failure"], known),
            timeout=shape.limits.timeout or min(EXECUTION_TIMEOUT, limit),
            credentials=credentials,
        )

    def _steps(
        self,
        shapes: Sequence[StepShape],
        drafts: Sequence[Draft],
        known: frozenset[str],
    ) -> tuple[PlannedStep, ...]:
        pairs = zip(shapes, drafts, strict=True)
        return tuple(self._step(shape, draft, known) for shape, draft in pairs)

    def _step(
        self, shape: StepShape, draft: Draft, known: frozenset[str]
    ) -> PlannedStep:
        assert draft.connector is not None
        assert draft.settings is not None
        retry = shape.retry
        return PlannedStep(
            id=shape.id,
            path=shape.id,
            uses=shape.uses,
            connector=draft.connector,
            settings=draft.settings,
            condition=draft.condition,
            retry=Retry(attempts=retry.attempts, base=retry.base, max=retry.max),
            timeout=shape.timeout or min(STEP_TIMEOUT, self._limits["time_limit"]),
            has_effect=draft.connector.has_effect,
            reads=_read(draft, known),
        )


def _read(draft: Draft, known: frozenset[str]) -> frozenset[str]:
    """Find the steps that a step looks at; around one may be any of them."""
    assert draft.settings is not None
    used = [each for _, each in draft.settings.expressions]
    if draft.condition is not None:
        used.append(draft.condition)
    paths = {path for each in used for path in each.reads}
    if any(path in {(), ("steps",)} for path in paths):
        return known
    return frozenset(path[1] for path in paths if path[0] == "steps") & known


def _refuse(found: Sequence[Fault]) -> None:
    if not found:
        return
    count = f"{len(found)} fault{'s' if len(found) > 1 else ''}"
    if len(found) > faults.MOST:
        count = f"more than {faults.MOST} faults; here are the first"
    raise Invalid(f"The definition has {count}.", found[: faults.MOST])


def _misfit(error: ValidationError) -> str:
    """Name settings and types only: keys further in may come from a payload."""
    lines = [
        f"{each['loc'][0] if each['loc'] else 'they'} {faults.message(each)}"
        for each in error.errors(include_url=False)
    ]
    return f"The step's settings do not fit: {'; '.join(dict.fromkeys(lines))}."
