"""Which connectors exist, and what each of them is."""

from abc import abstractmethod
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from pydantic import BaseModel, ConfigDict
from typing_extensions import override

from app.connectors.http import HttpClient
from app.domain.context import ExecutionContext
from app.domain.credential import Opened
from app.domain.errors import NotFound, StepFailed, Unsealable


class Keyring(Protocol):
    """The credentials of the tenant whose execution this is."""

    def open(self, name: str) -> Opened:
        """Return one credential in the clear.

        Raises:
            NotFound: there is none of this name.
            Unsealable: it does not open.
        """
        ...

    def token(
        self, context: ExecutionContext, client: Opened, *, stale: str | None = None
    ) -> str:
        """Return a token for a credential of type ``oauth2``.

        Args:
            context: of whoever needs it.
            client: the credential.
            stale: a token that was refused, so that another one is needed.

        Raises:
            StepFailed: ``credential-unauthorized``, ``credential-refused``, or why
                nobody could be asked.
            Cancelled, Interrupted, DeadlineExceeded: from the context.
        """
        ...


class NoKeys(Keyring):
    """No credentials at all."""

    @override
    def open(self, name: str) -> Opened:
        """Find nothing."""
        raise NotFound(f"There is no credential `{name}`.")

    @override
    def token(
        self, context: ExecutionContext, client: Opened, *, stale: str | None = None
    ) -> str:
        """Find nothing."""
        raise NotFound(f"There is no token for `{client.name}`.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What one attempt of one step may use."""

    context: ExecutionContext  # its deadline is the step's
    http: HttpClient
    idempotency_key: str  # the same over retries and resumes
    keyring: Keyring = field(default_factory=NoKeys, repr=False)

    def credential(self, name: str, types: Collection[str]) -> Opened:
        """Return a credential of the execution's tenant, of one of these types.

        Raises:
            StepFailed: ``credential-missing``, ``credential-unreadable`` or
                ``credential-unusable``.
        """
        try:
            found = self.keyring.open(name)
        except NotFound as error:
            raise StepFailed("credential-missing", str(error)) from error
        except Unsealable as error:
            raise StepFailed(error.code, str(error)) from error
        if found.type not in types:
            raise StepFailed(
                "credential-unusable",
                f"The credential `{name}` is of type {found.type}; what is needed here"
                f" is {' or '.join(types)}.",
            )
        return found


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
    credential_types: ClassVar[tuple[str, ...]] = ()  # that its `credential` may be of

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

    def credential_types(self, name: str) -> tuple[str, ...]:
        """Return which types of credential a kind of step takes."""
        kind = self._kinds.get(name)
        return () if kind is None else kind.credential_types
