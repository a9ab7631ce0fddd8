"""The shape of a workflow's definition: which fields there are, and what fits them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from app.domain.errors import Fault
from app.domain.template import child

STEP_ID = r"^[a-z][a-z0-9_]{0,62}$"
Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
_KINDS = {
    dict: "an object",
    list: "a list",
    str: "a string",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    type(None): "null",
}


def _later(value: Any) -> Any:
    raise PydanticCustomError("later", "is not supported yet")


def _choice(*now: str, later: Sequence[str] = ()) -> AfterValidator:
    def check(value: str) -> str:
        if value in later:
            raise PydanticCustomError("later", "'{value}' is not supported yet", {"value": value})
        if value not in now:
            known = {"known": " or ".join(f"'{each}'" for each in (*now, *later))}
            raise PydanticCustomError("choice", "must be {known}", known)
        return value

    return AfterValidator(check)
