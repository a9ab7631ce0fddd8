"""The servers that are measured, each as a gunicorn of its own."""

import http.client
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from bench import event

ROOT = Path(__file__).parents[1]
TICKS = os.sysconf("SC_CLK_TCK")
PATIENCE = 30.0  # seconds for a server to start or end


@dataclass(frozen=True, slots=True)
class Usage:
    """What the kernel has counted for the processes that answer."""

    cpu: float  # seconds
    voluntary: int  # context switches
    involuntary: int

    def __sub__(self, before: "Usage") -> "Usage":
        return Usage(
            self.cpu - before.cpu,
            self.voluntary - before.voluntary,
            self.involuntary - before.involuntary,
        )


class Server:
    """One gunicorn with the shipped configuration; a context that ends it."""

    def __init__(self, home: Path, app: str = "wsgi:app", **settings: str) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.home = home
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.started_within = 0.0  # seconds from the command to the first answer
        self._env = {
            "PATH": os.environ["PATH"],
            "SLUICE_DATA_DIR": str(home / "data"),
            "SLUICE_CORS_ORIGINS": "",
            **settings,
        }
        self._log = home / "log"
        self._command = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py"]
        self._app = app

    def __enter__(self) -> Self:
        began = time.monotonic()
        self._process = self._begin([*self._command, self._app], self.port)
        self.started_within = time.monotonic() - began
        return self

    def __exit__(self, *_: object) -> None:
        _end(self._process)

    def workers(self) -> list[int]:
        """The processes that answer."""
        master = self._process.pid
        children = Path(f"/proc/{master}/task/{master}/children").read_text()
        return [int(each) for each in children.split()]

    def usage(self) -> Usage:
        """Ask the kernel."""
        cpu, voluntary, involuntary = 0.0, 0, 0
        for pid in self.workers():
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            cpu += (int(fields[11]) + int(fields[12])) / TICKS
            for task in Path(f"/proc/{pid}/task").iterdir():
                told = _fields(task / "status")
                voluntary += int(told.get("voluntary_ctxt_switches", 0))
                involuntary += int(told.get("nonvoluntary_ctxt_switches", 0))
        return Usage(cpu, voluntary, involuntary)

    def memory(self) -> float:
        """MiB that the processes which answer keep in memory, the largest of them."""
        return max(
            int(_fields(Path(f"/proc/{pid}/status"))["VmRSS"].split()[0]) / 1024
            for pid in self.workers()
        )

    def ask(
        self, method: str, path: str, value: Any = None, key: str | None = None
    ) -> Any:
        """Call the API."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        status, text = self._send(method, path, value, headers)
        if status >= 300:  # noqa: PLR2004
            raise SystemExit(f"{method} {path}: {status} {text[:500]!r}")
        return json.loads(text)

    def metric(self, line: str) -> float:
        """Read one of Sluice's metrics, the sum over all processes that count it."""
        text = b"\n".join(self._metrics())
        found = re.findall(rf"^{re.escape(line)} (\S+)$", text.decode(), re.MULTILINE)
        return sum(map(float, found))

    def _metrics(self) -> list[bytes]:
        return [self._send("GET", "/metrics", None, {})[1]]

    def _begin(self, command: list[str], port: int) -> "subprocess.Popen[bytes]":
        """Start a process, and wait until it answers."""
        began = time.monotonic()
        with self._log.open("ab") as out:
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**self._env, "PORT": str(port)},
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        while not self._answers(port):
            if process.poll() is not None or time.monotonic() - began > PATIENCE:
                process.kill()
                raise SystemExit(f"no server: {self._log.read_text()[-2000:]}")
            time.sleep(0.01)
        return process

    def _send(
        self,
        method: str,
        path: str,
        value: Any,
        headers: Mapping[str, str],
        port: int = 0,
    ) -> tuple[int, bytes]:
        port = port or self.port
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        body = None if value is None else json.dumps(value)
        connection.request(method, path, body, dict(headers))
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, text

    def _answers(self, port: int) -> bool:
        with suppress(OSError, http.client.HTTPException):
            self._send("GET", "/health/live", None, {}, port)
            return True
        return False


class Pair(Server):
    """One gunicorn that takes events, and a worker process that executes them."""

    def __enter__(self) -> Self:
        super().__enter__()
        self._other = free_port()
        command = [sys.executable, "-m", "app", "worker"]
        try:
            self._worker = self._begin(command, self._other)
        except SystemExit:
            super().__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        _end(self._worker)
        super().__exit__(*error)

    def workers(self) -> list[int]:
        """The processes that answer, and the one that executes."""
        return [*super().workers(), self._worker.pid]

    def _metrics(self) -> list[bytes]:
        [own] = super()._metrics()
        return [own, self._send("GET", "/metrics", None, {}, self._other)[1]]


class Tenant:
    """Somebody with workflows on a server."""

    def __init__(self, server: Server) -> None:
        self._server = server
        person = {
            "email": "bench@example.com",
            "password": "correct horse battery",
            "tenant": "Bench",
        }
        made = server.ask("POST", "/api/v1/auth/register", person)
        self._key: str = made["api_key"]

    def ask(self, method: str, path: str, value: Any = None) -> Any:
        """Call the API as this tenant."""
        return self._server.ask(method, f"/api/v1{path}", value, self._key)

    def hook(self, name: str, *steps: Any, **trigger: Any) -> str:
        """Make a workflow, and return the address of its webhook."""
        asked = {"name": name, "definition": event.workflow(*steps, **trigger)}
        url: str = self.ask("POST", "/workflows", asked)["webhook_url"]
        return self._server.url + url[url.index("/hooks/") :]


def _fields(path: Path) -> dict[str, str]:
    with suppress(FileNotFoundError, ProcessLookupError):  # a thread that has ended
        pairs = (line.partition(":") for line in path.read_text().splitlines())
        return {name: value.strip() for name, _, value in pairs}
    return {}


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(PATIENCE + 10)
    except subprocess.TimeoutExpired:
        process.kill()


def wait_for(port: int) -> None:
    """Wait until something listens."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.01)
    raise SystemExit(f"nothing listens on {port}")


def free_port() -> int:
    """Find a port that nobody uses."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
