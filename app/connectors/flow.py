"""Steps that steer an execution and reach nothing outside of the process."""

import logging
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field
from typing_extensions import override

from app.connectors.fields import Text
from app.connectors.registry import Call, Connector
from app.domain import jsons
from app.domain.errors import StepFailed
from app.domain.execution import Status
from app.domain.signals import Ended, Pause

log = logging.getLogger(__name__)

IN_THREAD = 1.0  # seconds; longer waits leave the thread
LONGEST_DELAY = 366 * 86_400  # seconds
LOGGED = 4096  # bytes of one step's log line


class SetValue(Connector):
    """`set`: name a value for later steps."""

    name: ClassVar[str] = "set"
    has_effect: ClassVar[bool] = False

    value: Any

    @override
    def run(self, call: Call) -> Any:
        return self.value


class Delay(Connector):
    """`delay`: wait; more than a second is waited for outside of the thread.

    Time that passes is an effect: what came before is stored before the wait.
    """

    name: ClassVar[str] = "delay"

    seconds: Annotated[float, Field(ge=0, le=LONGEST_DELAY, allow_inf_nan=False)]

    @override
    def run(self, call: Call) -> None:
        if self.seconds > IN_THREAD:
            raise Pause(self.seconds)
        call.context.sleep(self.seconds)


class Fail(Connector):
    """`fail`: end the execution as failed, with the author's words."""

    name: ClassVar[str] = "fail"
    has_effect: ClassVar[bool] = False

    message: Text

    @override
    def run(self, call: Call) -> None:
        raise StepFailed("fail", self.message)


class Stop(Connector):
    """`stop`: end the execution here, by default as a success."""

    name: ClassVar[str] = "stop"
    has_effect: ClassVar[bool] = False

    status: Literal["success", "failed", "cancelled"] = "success"
    message: Text = ""

    @override
    def run(self, call: Call) -> None:
        raise Ended(Status(self.status), self.message)


class Log(Connector):
    """`log`: write a line into the service's log, bounded in size."""

    name: ClassVar[str] = "log"
    has_effect: ClassVar[bool] = False

    message: Text
    fields: dict[str, Any] = Field(default_factory=dict)

    @override
    def run(self, call: Call) -> None:
        # One level down, so that no field takes the place of the log's own.
        said = {"text": self._text(), "fields": self._fields()}
        log.info("Step logged", extra=said)

    def _text(self) -> str:
        cut = self.message.encode(errors="replace")[:LOGGED]
        return cut.decode(errors="ignore")

    def _fields(self) -> dict[str, Any]:
        try:
            jsons.encode(self.fields, limit=LOGGED)
        except ValueError:
            return {"truncated": True, "names": len(self.fields)}
        return self.fields
