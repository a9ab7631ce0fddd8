"""`slack.message`: post a text to a channel by its incoming webhook."""

from typing import Any, ClassVar

from app.connectors.fields import Text
from app.connectors.messages import Message
from app.connectors.registry import Call


class SlackMessage(Message):
    """Post a text to the channel of a credential or of a URL."""

    name: ClassVar[str] = "slack.message"
    credential_types: ClassVar[tuple[str, ...]] = ("slack",)

    text: Text

    def run(self, call: Call) -> dict[str, Any]:
        return self.post(call, {"text": self.text})
