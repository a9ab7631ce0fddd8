"""`sign`: what a step signs its request with."""

from dataclasses import dataclass, field
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, PlainValidator, model_validator

from app.connectors.fields import Plain
from app.connectors.registry import Call
from app.domain import times
from app.domain.errors import StepFailed
from app.security import signing

MOST = 10  # secrets that sign at the same time
WANTED = "must be a string, {credential: name} or a list of them"


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret, or the name of a credential that holds it."""

    name: str | None = None
    text: str | None = field(default=None, repr=False)

    def key(self, call: Call) -> bytes:
        """Return the key that it stands for.

        Raises:
            StepFailed: ``credential-missing``, ``credential-unreadable`` or
                ``credential-unusable``.
        """
        key = signing.key_of(self._value(call))
        if key is None:
            raise StepFailed(
                "credential-unusable",
                f"The credential `{self.name}` cannot sign; it must hold"
                f" {signing.FORM}.",
            )
        return key

    def _value(self, call: Call) -> str:
        if self.name is None:
            return self.text or ""
        return call.credential(self.name, ("secret",)).data["value"]


def _secrets(value: Any) -> tuple[Secret, ...]:
    listed = value if isinstance(value, list) else [value]
    if not 1 <= len(listed) <= MOST:
        raise ValueError(f"must list 1 to {MOST} secrets, not {len(listed)}")
    return tuple(map(_secret, listed))


def _secret(value: Any) -> Secret:
    if isinstance(value, str):
        if signing.key_of(value) is None:
            raise ValueError(f"must be {signing.FORM}")
        return Secret(text=value)
    named = value.get("credential") if isinstance(value, dict) else None
    if not isinstance(named, str) or len(value) > 1:
        raise ValueError(WANTED)
    return Secret(name=named)


class Sign(BaseModel):
    """Signs requests as Standard Webhooks asks.

    A secret that is written into a workflow becomes a credential when it is saved.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, hide_input_in_errors=True
    )

    credential: Plain | None = None
    secret: Annotated[
        tuple[Secret, ...] | None, PlainValidator(_secrets, json_schema_input_type=Any)
    ] = None

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.credential is None) == (self.secret is None):
            raise ValueError("must have one of credential and secret")
        return self

    def headers(self, call: Call, body: bytes) -> dict[str, str]:
        """Sign a body for one attempt, now; the id is the same for every attempt.

        Raises:
            StepFailed: a secret cannot be had, or is not one that signs.
        """
        secrets = self.secret or (Secret(name=self.credential),)
        return signing.signed(
            body,
            [each.key(call) for each in secrets],
            message_id=call.idempotency_key,
            at=times.to_ms(times.now()) // 1000,
        )
