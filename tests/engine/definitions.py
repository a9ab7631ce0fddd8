"""Small definitions, and a compiler that knows two kinds of steps."""

from typing import Any, ClassVar, Literal

import pytest
from pydantic import Field, model_validator

from app.connectors.registry import Call, Connector, Registry
from app.domain.errors import Invalid
from app.domain.expression import Scope
from app.engine.plan import Compiler, Plan


class Send(Connector):
    """A step with settings of many kinds."""

    name: ClassVar[str] = "send"

    url: str
    method: Literal["GET", "POST"] = "POST"
    times: int = Field(default=1, le=9)
    headers: dict[str, str] = Field(default_factory=dict)
    tags: list[str | int] = Field(default_factory=list)

    @model_validator(mode="before")
    @classmethod
    def _not_both(cls, values: Any) -> Any:
        if isinstance(values, dict) and {"tags", "headers"} <= values.keys():
            raise ValueError("give only one of tags and headers")
        return values

    def run(self, call: Call) -> None:
        """Send nothing."""


class Keep(Connector):
    """A step without an effect."""

    name: ClassVar[str] = "keep"
    has_effect: ClassVar[bool] = False

    value: Any = None

    def run(self, call: Call) -> Any:
        return self.value


COMPILER = Compiler(Registry(Send, Keep), max_steps=3, time_limit=120.0)
SCOPE = Scope(
    {
        "trigger": {"body": {"id": 7, "secret": "hunter2", "hunter2": {"hunter2": 1}}},
        "steps": {},
        "vars": {},
        "execution": {},
    }
)


def definition(*steps, **rest):
    return {"trigger": {"type": "webhook"}, "steps": list(steps), **rest}


def step(step_id="a", uses="keep", **rest):
    return {"id": step_id, "uses": uses, **rest}


def send(step_id="a", **settings):
    return step(step_id, "send", **{"with": {"url": "x", **settings}})


def compiled(*steps, **rest) -> Plan:
    return COMPILER.compile(definition(*steps, **rest))


def told(given: Any) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as caught:
        COMPILER.compile(given)
    return [(fault.pointer, fault.message) for fault in caught.value.faults]


def only_fault(given: Any) -> tuple[str, str]:
    (fault,) = told(given)
    return fault
