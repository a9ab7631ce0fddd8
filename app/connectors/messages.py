"""What the messages to chat services have in common."""

from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, model_validator

from app.connectors import statuses
from app.connectors.fields import Plain, callable_url
from app.connectors.outgoing import Body, Proof, Request
from app.connectors.registry import Call, Connector
from app.domain import jsons

Address = Annotated[Plain, AfterValidator(callable_url)]


class Message(Connector):
    """Posts to a channel's incoming webhook, whose URL is a secret.

    A URL that is written into a workflow becomes a credential when it is saved.
    """

    credential: Plain | None = None
    url: Address | None = Field(default=None, repr=False)

    @model_validator(mode="after")
    def _one_address(self) -> Self:
        if (self.credential is None) == (self.url is None):
            raise ValueError("must have one of credential and url")
        return self

    def post(self, call: Call, document: dict[str, str]) -> dict[str, Any]:
        """Post a document and return the step's output.

        Raises:
            StepFailed: there is no URL to be had, or the service refused.
        """
        address = self.url or self._address(call)
        request = Request(
            method="POST",
            url=address,
            body=Body(jsons.encode(document), "application/json"),
            proof=Proof(secrets=(address,)),  # which no other server may be told
        )
        reply = call.http.call(call.context, request)
        statuses.require(reply)
        return {"status": reply.status}

    def _address(self, call: Call) -> str:
        return call.credential(self.credential or "", self.credential_types).data["url"]
