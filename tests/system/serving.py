"""The shipped server, as a process: gunicorn.conf.py, wsgi:app, SQLite."""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

from tests.system.client import Api, send
from tests.system.waiting import eventually

ROOT = Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "wsgi:app")
KEPT = ("PATH", "HOME", "LANG", "TZ")


def free_port() -> int:
    """A port below those that the system gives to clients."""
    while True:
        port = 15_000 + secrets.randbelow(15_000)
        with socket.socket() as one:
            try:
                one.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


class Server:
    """One data directory and the processes that serve it, one after the other."""

    program: ClassVar[Sequence[str]] = COMMAND

    def __init__(self, home: Path, **settings: str) -> None:
        self.home = home
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.out, self.err = home / "stdout", home / "stderr"
        self._env = {name: os.environ[name] for name in KEPT if name in os.environ}
        self._env |= {
            "PORT": str(self.port),
            "SLUICE_DATA_DIR": str(home / "data"),
            **settings,
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *, within: float = 60.0) -> float:
        """Start, wait until it is ready, and return how long that took, seconds."""
        began = time.monotonic()
        with self.out.open("ab") as out, self.err.open("ab") as err:
            self._process = subprocess.Popen(
                self.program,
                cwd=ROOT,
                env=self._env,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
        eventually(self._ready, within=within, what="the server is ready")
        return time.monotonic() - began

    def set(self, **settings: str) -> None:
        """Change settings for what is started from now on."""
        self._env |= settings

    def command(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run ``python -m app`` with the server's settings, beside the server."""
        return subprocess.run(
            (sys.executable, "-m", "app", *arguments),
            cwd=ROOT,
            env=self._env,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    @property
    def pid(self) -> int:
        """The master that was started last."""
        return self._running().pid

    def send(self, number: signal.Signals) -> None:
        """Send the master a signal."""
        self._running().send_signal(number)

    def wait(self, *, within: float = 45.0) -> int:
        """Wait for the master's end, and return its exit code."""
        return self._running().wait(within)

    def stop(self, *, within: float = 45.0) -> int:
        """Send SIGTERM and return the exit code."""
        self.send(signal.SIGTERM)
        return self.wait(within=within)

    def kill(self) -> None:
        """End every process of the server at once, as a power cut would."""
        process = self._running()
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)

    def has_ended(self) -> bool:
        """Whether the master has gone by itself."""
        return self._running().poll() is not None

    def close(self) -> None:
        """Leave no process behind, also none that took the master's place."""
        if self._process:
            with suppress(ProcessLookupError):
                self.kill()

    def api(self) -> Api:
        """A client without a key."""
        return Api(self.url)

    def workers(self) -> list[int]:
        """The processes that gunicorn's master has forked."""
        master = self._running().pid
        children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
        return [int(each) for each in children]

    def lines(self) -> list[dict[str, Any]]:
        """What was written to stdout so far; every line must be an object."""
        return list(_objects(self.out))

    def events(self, message: str, **fields: object) -> list[dict[str, Any]]:
        """The log lines with this message and these fields."""
        return [
            line
            for line in self.lines()
            if line.get("message") == message and fields.items() <= line.items()
        ]

    def written(self) -> str:
        """All that it has written, both streams."""
        return self.out.read_text() + self.err.read_text()

    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process

    def _ready(self) -> bool:
        code = self._running().poll()
        assert code is None, f"the server ended with {code}:\n{self.written()[-4000:]}"
        try:
            return send("GET", f"{self.url}/health/ready", timeout=5).status == 200
        except OSError:
            return False


class Worker(Server):
    """A process that executes what servers accept."""

    program = (sys.executable, "-m", "app", "worker")


def _objects(path: Path) -> Iterator[dict[str, Any]]:
    """Read every whole line; the last may be seen half written."""
    written, _, _ = path.read_text().rpartition("\n")
    for line in written.splitlines():
        value = json.loads(line)
        assert isinstance(value, dict), line
        yield value


def step(
    name: str, url: str, value: Any = None, **settings: object
) -> Mapping[str, Any]:
    """An `http.request` that posts JSON."""
    sent = {"method": "POST", "url": url, "json": value}
    return {"id": name, "uses": "http.request", "with": sent, **settings}
