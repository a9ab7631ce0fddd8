"""The shape of a workflow's definition: which fields there are, and what fits them."""

import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    model_validator,
)
from pydantic_core import PydanticCustomError

from app.engine.verification import VerifyShape

STEP_ID = r"^[a-z][a-z0-9_]{0,62}$"
Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def _later(_: Any) -> Any:
    raise PydanticCustomError("later", "is not supported yet")


def _choice(*now: str, later: Sequence[str] = ()) -> AfterValidator:
    known = " or ".join(f"'{each}'" for each in (*now, *later))

    def check(value: str) -> str:
        if value in later:
            raise PydanticCustomError("later", f"'{value}' is not supported yet")
        if value not in now:
            raise PydanticCustomError("choice", f"must be {known}")
        return value

    return AfterValidator(check)


def _step_id(value: str) -> str:
    if not re.fullmatch(STEP_ID, value):
        message = "must be a small letter and then small letters, digits or _, up to 63"
        raise PydanticCustomError("step_id", message)
    return value


def _within_limit(seconds: float, info: ValidationInfo) -> float:
    limit: float = (info.context or {})["time_limit"]
    if seconds > limit:
        message = f"may not exceed this instance's limit of {limit:g} seconds"
        raise PydanticCustomError("limit", message)
    return seconds


def _few_enough(steps: Any, info: ValidationInfo) -> Any:
    most: int = (info.context or {})["max_steps"]
    if isinstance(steps, list) and len(steps) > most:
        message = f"has {len(steps)} steps; the most is {most} (SLUICE_MAX_STEPS)"
        raise PydanticCustomError("limit", message)
    return steps


Later = Annotated[Any, BeforeValidator(_later)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Seconds = Annotated[Positive, AfterValidator(_within_limit)]


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class TriggerShape(_Shape):
    """What starts the workflow."""

    type: Annotated[str, _choice("webhook", "manual", later=["schedule"])]
    methods: Annotated[list[Method], Field(min_length=1)] = ["POST"]
    accept: Annotated[str, _choice("any", "json")] = "any"
    respond: Annotated[str, _choice("immediately", "on_finish")] = "immediately"
    overload: Annotated[str, _choice("reject", later=["spill"])] = "reject"
    verify: VerifyShape | None = None
    dedupe: str | None = None  # an expression
    on_disconnect: Annotated[str, _choice("cancel", "continue")] = "cancel"

    @model_validator(mode="after")
    def _only_webhooks_have_options(self) -> Self:
        others = self.model_fields_set - {"type", "on_disconnect"}
        if self.type != "webhook" and others:
            message = f"of type '{self.type}' has no field but type and on_disconnect"
            raise PydanticCustomError("manual", message)
        return self


class RetryShape(_Shape):
    """How often, and how fast, a failed step is tried again."""

    attempts: Annotated[int, Field(ge=1, le=20)] = 1
    backoff: Annotated[str, _choice("exponential")] = "exponential"
    base: Annotated[Positive, Field(le=3600)] = 0.5
    max: Annotated[Positive, Field(le=86_400)] = 30.0


class StepShape(_Shape):
    """One step; its `with` is its connector's business."""

    id: Annotated[
        str, AfterValidator(_step_id), Field(json_schema_extra={"pattern": STEP_ID})
    ]
    uses: str
    with_: Annotated[dict[str, Any], Field(alias="with", default_factory=dict)]
    if_: Annotated[str | None, Field(alias="if")] = None
    retry: RetryShape = RetryShape()
    timeout: Seconds | None = None
    on_unknown: Annotated[str, _choice("repeat", later=["stop", "ask", "check"])] = (
        "repeat"
    )


class LimitsShape(_Shape):
    """What one execution may use."""

    timeout: Seconds | None = None
    concurrency: Later = None
    key: Later = None


class DefinitionShape(_Shape):
    """A whole definition; validate it with `time_limit` and `max_steps` as context."""

    name: Annotated[str | None, Field(min_length=1, max_length=200)] = None
    vars: dict[str, Any] = {}
    trigger: TriggerShape
    steps: Annotated[list[StepShape], Field(min_length=1), BeforeValidator(_few_enough)]
    on_failure: Annotated[list[StepShape], BeforeValidator(_few_enough)] = []
    limits: LimitsShape = LimitsShape()
