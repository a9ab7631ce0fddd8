"""`respond`: what a caller who waits is told."""

from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field
from typing_extensions import override

from app.connectors.fields import Headers
from app.connectors.outgoing import FRAMING
from app.connectors.registry import Call, Connector
from app.domain.execution import ANSWERING

# What belongs to the connection, or to this server's origin and not to a workflow.
OURS = FRAMING | {
    "alt-svc",
    "clear-site-data",
    "content-security-policy",
    "content-security-policy-report-only",
    "date",
    "nel",
    "origin-agent-cluster",
    "permissions-policy",
    "referrer-policy",
    "refresh",
    "report-to",
    "reporting-endpoints",
    "server",
    "service-worker-allowed",
    "set-cookie",
    "sourcemap",
    "strict-transport-security",
    "x-content-type-options",
    "x-frame-options",
    "x-request-id",
}
OUR_KINDS = ("access-control-", "cross-origin-")


def _allowed(headers: dict[str, str]) -> dict[str, str]:
    for name in headers:
        if name.lower() in OURS or name.lower().startswith(OUR_KINDS):
            raise ValueError(f"may not set {name.lower()}, which is the server's")
    return headers


class Respond(Connector):
    """Choose the answer; the last one that ran counts, when the execution ends.

    The journal keeps it as the step's output; expressions see null.
    """

    name: ClassVar[str] = ANSWERING
    has_effect: ClassVar[bool] = False

    status: Annotated[int, Field(ge=200, le=599)] = 200
    headers: Annotated[Headers, AfterValidator(_allowed)] = Field(default_factory=dict)
    body: Any = None

    @override
    def run(self, call: Call) -> dict[str, Any]:
        return {"status": self.status, "headers": self.headers, "body": self.body}
