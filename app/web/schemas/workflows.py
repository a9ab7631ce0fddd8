"""Workflows, versions and the request to run one."""

from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field

from app.web.schemas.types import Limit, Name, Query, Request, Shown, View

MAX_WAIT = 30  # seconds
GREETING: dict[str, Any] = {
    "trigger": {"type": "webhook"},
    "steps": [
        {
            "id": "text",
            "uses": "set",
            "with": {"value": "Hello, {{ trigger.body.name || 'stranger' }}!"},
        },
        {"id": "note", "uses": "log", "with": {"message": "{{ steps.text.output }}"}},
    ],
}


def _unsupported(_: object) -> object:
    raise ValueError("is not supported yet; leave it out")


def _for_example(**body: Any) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [body]})


Unsupported = Annotated[bool, AfterValidator(_unsupported)]
Definition = Annotated[
    dict[str, Any],
    Field(description="Trigger and steps; /schemas/workflow.json says what fits."),
]


class WorkflowRequest(Request):
    """A new workflow; without `name` its definition's own counts."""

    model_config = _for_example(name="Greeting", definition=GREETING)

    name: Name | None = None
    definition: Definition
    is_active: bool = True


class WorkflowUpdate(Request):
    """A new version; without `name` its definition's own counts, or the old one."""

    model_config = _for_example(definition=GREETING)

    name: Name | None = None
    definition: Definition


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

    model_config = _for_example(input={"name": "Ada"}, wait=10)

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


class MissingCredential(View):
    """A credential to make at /api/v1/credentials before a workflow can be active."""

    name: str
    types: list[str]  # any of which fits
    used_at: list[str]  # JSON pointers into the definition


class WorkflowView(WorkflowItem):
    """A workflow with its current definition, or where to get a large one."""

    definition: Any
    missing_credentials: list[MissingCredential]  # none while it is active


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
