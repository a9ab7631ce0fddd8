"""A Redis of our own: on a free port, with a folder of its own."""

import shutil
import signal
import socket
import subprocess
from pathlib import Path

from tests.system.serving import free_port
from tests.system.waiting import eventually

BINARY = shutil.which("redis-server")


class Redis:
    """One folder and port, and the servers that use them, one after the other.

    Args:
        home: an existing folder.
        append_only: keep what is written over a restart, but for the last second.
    """

    def __init__(self, home: Path, *, append_only: bool = False) -> None:
        self._home, self._append_only = home, append_only
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start the server and wait until it answers."""
        assert BINARY is not None, "Redis is not installed"
        command = [
            BINARY,
            *("--port", str(self.port), "--bind", "127.0.0.1"),
            *("--dir", str(self._home), "--save", ""),
            *("--appendonly", "yes" if self._append_only else "no"),
        ]
        with (self._home / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        eventually(self._is_ready, within=10, what="Redis answers")

    def send(self, number: signal.Signals) -> None:
        """Send a signal: SIGSTOP freezes it, SIGCONT lets it go on."""
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        """End it at once; what is not in its folder is lost."""
        if self._process is not None:
            self.send(signal.SIGKILL)
            self._process.wait(10)
            self._process = None

    def say(self, command: str) -> str:
        """Send a command like ``FLUSHALL``, and return the first line of the answer."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as one:
            one.sendall(f"{command}\r\n".encode())
            return one.makefile().readline().strip()

    def _is_ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self._home / "log").read_text()[-4000:]
        try:
            return self.say("PING") == "+PONG"
        except OSError:
            return False
