"""How problem documents look, for the OpenAPI document."""

from pydantic import BaseModel, ConfigDict


class FaultView(BaseModel):
    """One thing wrong with the request: where, as a JSON pointer, and what."""

    pointer: str
    message: str


class ProblemView(BaseModel):
    """Why a request was refused (RFC 9457)."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    request_id: str
    errors: list[FaultView]
