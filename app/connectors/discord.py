"""`discord.message`: post a text to a channel by its webhook."""

from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator

from app.connectors import statuses
from app.connectors.fields import Text, Url
from app.connectors.outgoing import Body, Request
from app.connectors.registry import Call, Connector
from app.domain import jsons

LONGEST = 2000  # characters that Discord takes


def short_enough(text: str) -> str:
    """Refuse what Discord would refuse."""
    if len(text) > LONGEST:
        raise ValueError(
            f"has {len(text)} characters and Discord takes {LONGEST}; shorten it"
        )
    return text


class DiscordMessage(Connector):
    """Post a text; the URL is the channel's webhook, a secret."""

    name: ClassVar[str] = "discord.message"

    url: Url
    text: Annotated[Text, AfterValidator(short_enough)]

    def run(self, call: Call) -> dict[str, Any]:
        body = Body(jsons.encode({"content": self.text}), "application/json")
        request = Request(method="POST", url=self.url, body=body)
        reply = call.http.call(call.context, request)
        statuses.require(reply)
        return {"status": reply.status}
