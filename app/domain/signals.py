"""How a step says that it is over in another way than by returning a value."""

from app.domain.execution import Status


class Pause(Exception):
    """Leave the thread and come back after so many seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"pause for {seconds} s")
        self.seconds = seconds


class Ended(Exception):
    """The execution ends here, with a status its author chose."""

    def __init__(self, status: Status, message: str) -> None:
        super().__init__(message)
        self.status = status
