"""`discord.message`: post a text to a channel by its webhook."""

from typing import Annotated, Any, ClassVar

from pydantic import Field

from app.connectors import statuses
from app.connectors.fields import Text
from app.connectors.outgoing import Body, Request
from app.connectors.registry import Call, Connector
from app.domain import jsons
from app.domain.errors import StepFailed

LONGEST = 2000  # characters that Discord takes


class DiscordMessage(Connector):
    """Post a text; the URL is the channel's webhook, a secret."""

    name: ClassVar[str] = "discord.message"

    url: Annotated[str, Field(repr=False)]
    text: Text

    def run(self, call: Call) -> dict[str, Any]:
        if len(self.text) > LONGEST:
            message = (
                f"the text has {len(self.text)} characters and Discord takes"
                f" {LONGEST}; shorten it"
            )
            raise StepFailed("invalid-settings", message)
        body = Body(jsons.encode({"content": self.text}), "application/json")
        request = Request(method="POST", url=self.url, body=body)
        reply = call.http.call(call.context, request)
        statuses.require(reply)
        return {"status": reply.status}
