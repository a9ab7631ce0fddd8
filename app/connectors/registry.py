"""Which connectors exist, and what each of them is."""

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from app.connectors.http import HttpClient
from app.domain.context import ExecutionContext
from app.domain.errors import NotFound, StepFailed, Unsealable

Reveal = Callable[..., bytes]  # of a credential's name and `field`


def nothing_known(name: str, *, field: str) -> bytes:
    """Reveal nothing: there are no credentials here."""
    raise NotFound(f"There is no credential `{name}` with a {field}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What one attempt of one step may use."""

    context: ExecutionContext  # its deadline is the step's
    http: HttpClient
    idempotency_key: str  # the same over retries and resumes
    reveal: Reveal = field(default=nothing_known, repr=False)

    def secret(self, name: str, field: str = "value") -> str:
        """Return one field of a credential of the execution's tenant.

        Raises:
            StepFailed: ``credential-missing`` or ``credential-unreadable``.
        """
        try:
            return self.reveal(name, field=field).decode()
        except NotFound as error:
            raise StepFailed("credential-missing", str(error)) from error
        except Unsealable as error:
            raise StepFailed(error.code, str(error)) from error


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

    @abstractmethod
    def run(self, call: Call) -> Any:
        """Do the work and return the step's output: JSON, plain Python values.

        Raises:
            StepFailed: with one of the API's failure codes.
            Cancelled, Interrupted, DeadlineExceeded: from the context.
            Pause, Ended: to leave the thread, or to end the execution.
        """


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
