"""`slack.message`: post a text to a channel by its incoming webhook."""

from typing import Any, ClassVar

from app.connectors import statuses
from app.connectors.fields import Text, Url
from app.connectors.outgoing import Body, Request
from app.connectors.registry import Call, Connector
from app.domain import jsons


class SlackMessage(Connector):
    """Post a text; the URL is the channel's incoming webhook, a secret."""

    name: ClassVar[str] = "slack.message"

    url: Url
    text: Text

    def run(self, call: Call) -> dict[str, Any]:
        body = Body(jsons.encode({"text": self.text}), "application/json")
        request = Request(method="POST", url=self.url, body=body)
        reply = call.http.call(call.context, request)
        statuses.require(reply)
        return {"status": reply.status}
