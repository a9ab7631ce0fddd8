"""Workflows, versions and the request to run one."""

from typing import Annotated, Any

from pydantic import AfterValidator, Field

from app.web.schemas.types import Limit, Name, Query, Request, Shown, View

MAX_WAIT = 30  # seconds


def _unsupported(_: object) -> object:
    raise ValueError("is not supported yet; leave it out")


Unsupported = Annotated[bool, AfterValidator(_unsupported)]


class WorkflowRequest(Request):
    """A new workflow; without `name` its definition's own counts."""

    name: Name | None = None
    definition: dict[str, Any]
    is_active: bool = True


class WorkflowUpdate(Request):
    """A new version; without `name` its definition's own counts, or the old one."""

    name: Name | None = None
    definition: dict[str, Any]


class WorkflowPatch(Request):
    """What changes without a new version."""

    name: Name | None = None
    is_active: bool | None = None
    paused: Unsupported | None = None


class RollbackRequest(Request):
    """Which version to make current again, as a new one."""

    version: Annotated[int, Field(ge=1, le=1_000_000_000)]


class RunRequest(Request):
    """What a run gets as `trigger.body`, and how long to wait for its end, seconds."""

    input: Any = Field(default_factory=dict)
    wait: Annotated[float, Field(gt=0, le=MAX_WAIT)] | None = None


class WorkflowQuery(Query):
    """Which workflows, or versions, a list shows."""

    limit: Limit = 50
    cursor: str | None = None


class WorkflowItem(View):
    """A workflow in a list."""

    id: str
    name: str
    version: int
    webhook_url: str
    is_active: bool
    created_at: Shown
    updated_at: Shown


class WorkflowView(WorkflowItem):
    """A workflow with its current definition, or where to get a large one."""

    definition: Any


class VersionItem(View):
    """A version in a list."""

    version: int
    author_id: str
    created_at: Shown
    definition_url: str


class WorkflowPage(View):
    """A page of workflows."""

    items: list[WorkflowItem]
    next_cursor: str | None


class VersionPage(View):
    """A page of versions."""

    items: list[VersionItem]
    next_cursor: str | None
