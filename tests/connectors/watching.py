"""Sees every connection that our code makes, however it is written."""

import sys
from types import FrameType

APP = "/app/"
DOOR = "/app/connectors/network.py"
ASKING = "/app/connectors/resolving.py"
EVENTS = {
    "socket.connect": DOOR,
    "socket.getaddrinfo": ASKING,
    "socket.gethostbyname": "",
    "subprocess.Popen": "",
    "os.exec": "",
    "os.system": "",
}


class Watch:
    """Notes what our own code does on its way out beside the door."""

    def __init__(self) -> None:
        self.beside: list[str] = []
        self.through = 0
        sys.addaudithook(self._saw)

    def _saw(self, event: str, _: tuple[object, ...]) -> None:
        if event not in EVENTS:
            return
        who = _ours(sys._getframe())
        if who is None:
            return
        if EVENTS[event] and who.endswith(EVENTS[event]):
            self.through += 1
        else:
            self.beside.append(f"{event} in {who}")


def _ours(frame: FrameType | None) -> str | None:
    """Return the innermost file of the app that is being executed."""
    while frame is not None:
        name = frame.f_code.co_filename
        if APP in name and "site-packages" not in name and "/tests/" not in name:
            return name
        frame = frame.f_back
    return None
