"""A server of its own for a command: real gunicorn, data that is thrown away."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2

ROOT = Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, "-m", "gunicorn", "--config", "gunicorn.conf.py", "wsgi:app")


class NotStarted(Exception):
    """The server ended, or did not become ready in time."""


@contextmanager
def server(*, within: float = 20.0) -> Iterator[str]:
    """Serve while the block lasts; gives the address.

    Args:
        within: how long the start may take, seconds.

    Raises:
        NotStarted: with the last lines of the server's log.
    """
    with tempfile.TemporaryDirectory(prefix="sluice-demo-") as name:
        home = Path(name)
        port = _free_port()
        with (home / "log").open("wb") as log:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter
                COMMAND, cwd=ROOT, env=_env(home, port), stdout=log, stderr=log
            )
        try:
            url = f"http://127.0.0.1:{port}"
            _await_ready(process, url, within, home / "log")
            yield url
        finally:
            process.terminate()
            process.wait()


def _env(home: Path, port: int) -> dict[str, str]:
    """Keep the machine's own variables; leave out those that set up a server."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("SLUICE_")
        and name not in {"DATABASE_URL", "REDIS_URL", "WEB_CONCURRENCY"}
    }
    return kept | {"PORT": str(port), "SLUICE_DATA_DIR": str(home / "data")}


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def _await_ready(
    process: subprocess.Popen[bytes], url: str, within: float, log: Path
) -> None:
    until = time.monotonic() + within
    while process.poll() is None and time.monotonic() < until:
        if _ready(url):
            return
        time.sleep(0.05)
    tail = log.read_text(errors="replace").splitlines()[-10:]
    raise NotStarted("\n".join(["the server did not start. Its log ends:", *tail]))


def _ready(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/health/ready", timeout=1).is_success
    except httpx2.HTTPError:
        return False
