"""`discord.message`: post a text to a channel by its webhook."""

from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator

from app.connectors.fields import Text
from app.connectors.messages import Message
from app.connectors.registry import Call

LONGEST = 2000  # characters that Discord takes


def short_enough(text: str) -> str:
    """Refuse what Discord would refuse."""
    if len(text) > LONGEST:
        raise ValueError(
            f"has {len(text)} characters and Discord takes {LONGEST}; shorten it"
        )
    return text


class DiscordMessage(Message):
    """Post a text to the channel of a credential or of a URL."""

    name: ClassVar[str] = "discord.message"
    credential_types: ClassVar[tuple[str, ...]] = ("discord",)

    text: Annotated[Text, AfterValidator(short_enough)]

    def run(self, call: Call) -> dict[str, Any]:
        return self.post(call, {"content": self.text})
