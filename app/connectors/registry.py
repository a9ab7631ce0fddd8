"""Which connectors exist, and what each of them is."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from app.connectors.http import HttpClient
from app.domain.context import ExecutionContext
from app.domain.errors import Fault, StepFailed


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What one attempt of one step may use."""

    context: ExecutionContext  # its deadline is the step's
    http: HttpClient
    idempotency_key: str  # the same over retries and resumes


class Connector(BaseModel):
    """One kind of step: its fields are the step's `with`, `run` is its work.

    Immutable, so threads may share it. Values arrive with every expression
    evaluated, so fields check them strictly.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, hide_input_in_errors=True
    )
    name: ClassVar[str]
    has_effect: ClassVar[bool] = True  # touches something outside of the process

    @classmethod
    def prepared(cls, settings: Mapping[str, Any]) -> Self:
        """Make a step ready to run from its evaluated settings.

        Raises:
            StepFailed: `invalid-settings`, naming each wrong setting and no value.
        """
        try:
            return cls.model_validate(settings)
        except ValidationError as error:
            wrong = "; ".join(
                f"{each.pointer}: {each.message}".removeprefix(": ")
                for each in faults(error)
            )
            raise StepFailed(
                "invalid-settings", f"settings of {cls.name}: {wrong}"
            ) from None

    @abstractmethod
    def run(self, call: Call) -> Any:
        """Do the work and return the step's output: JSON, plain Python values.

        Raises:
            StepFailed: with one of the API's failure codes.
            Cancelled, Interrupted, DeadlineExceeded: from the context.
            Pause, Ended: to leave the thread, or to end the execution.
        """


def faults(error: ValidationError) -> list[Fault]:
    """Say what is wrong with settings, by pointers into them and without values."""
    return [
        Fault(
            "".join(f"/{_escaped(part)}" for part in each["loc"]),
            each["msg"].removeprefix("Value error, "),
        )
        for each in error.errors(include_input=False, include_url=False)
    ]


def _escaped(part: str | int) -> str:
    return str(part).replace("~", "~0").replace("/", "~1")


class Registry:
    """Filled once by the factory, read-only from then on."""

    def __init__(self, *kinds: type[Connector]) -> None:
        self._kinds: Mapping[str, type[Connector]] = {each.name: each for each in kinds}
        if len(self._kinds) < len(kinds):
            raise ValueError("two connectors share a name")

    def __iter__(self) -> Iterator[str]:
        return iter(self._kinds)

    def find(self, name: str) -> type[Connector] | None:
        """Return the kind of step with this name, if there is one."""
        return self._kinds.get(name)
