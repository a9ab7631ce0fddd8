"""All connectors there are; a new one is a file, a test and a line here."""

from app.connectors.discord import DiscordMessage
from app.connectors.flow import Delay, Fail, Log, SetValue, Stop
from app.connectors.http_request import HttpRequest
from app.connectors.registry import Connector
from app.connectors.respond import Respond
from app.connectors.slack import SlackMessage

CATALOG: tuple[type[Connector], ...] = (
    HttpRequest,
    Respond,
    SlackMessage,
    DiscordMessage,
    SetValue,
    Delay,
    Fail,
    Stop,
    Log,
)
