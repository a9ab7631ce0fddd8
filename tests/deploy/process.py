"""A server started by the words of a shipped file, with production's keys."""

import os
import secrets
import signal
import socket
import subprocess
import sys
from base64 import b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.system.client import Api, send
from tests.system.waiting import eventually

KEPT = ("PATH", "HOME", "LANG")
GIVEN = 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$@" 3<&0 </dev/null'  # as systemd does


def keys() -> dict[str, str]:
    """Make what production does not start without."""
    return {
        "SLUICE_SECRET_KEY": secrets.token_urlsafe(32),
        "SLUICE_ENCRYPTION_KEYS": b64encode(secrets.token_bytes(32)).decode(),
        "SLUICE_SIGNUP": "open",
    }


class Process:
    """One server, started and stopped, with everything under `home`.

    Args:
        home: gets the log.
        cwd: where the command runs.
        command: its first word, the interpreter, is replaced by this one.
        env: beside what every process has.
        door: a listening socket to hand over, as systemd does.
    """

    def __init__(
        self,
        home: Path,
        cwd: Path,
        command: Sequence[str],
        env: Mapping[str, str],
        door: socket.socket | None = None,
    ) -> None:
        self._command = [sys.executable, *command[1:]]
        self._cwd, self._door = cwd, door
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        self.env = kept | dict(env)
        self.port = door.getsockname()[1] if door else int(env["PORT"])
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = home / "log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start; `await_ready` tells when it serves."""
        handed = ["sh", "-c", GIVEN, "sh"] if self._door else []
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*handed, *self._command],
                cwd=self._cwd,
                env=self.env,
                stdin=self._door.fileno() if self._door else subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                umask=0o077,
                start_new_session=True,
            )

    def await_ready(self) -> None:
        """Wait until it takes events."""
        eventually(self._ready, within=20, what="the server is ready")

    def stop(self) -> int:
        """Send SIGTERM and return the exit code."""
        assert self._process
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(45)

    def close(self) -> None:
        """Leave no process behind."""
        if self._process and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(10)

    def tenant(self) -> Api:
        """Register, and return a client with the key."""
        api = Api(self.url)
        api.register()
        return api

    def _ready(self) -> bool:
        assert self._process
        assert self._process.poll() is None, self.log.read_text()[-4000:]
        try:
            return send("GET", f"{self.url}/health/ready", timeout=5).status == 200
        except OSError:
            return False
