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

from app.cli.command import Stopped

ROOT = Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, "-m", "gunicorn", "--config", "gunicorn.conf.py", "wsgi:app")


class NotStarted(Stopped):
    """The server ended, or did not become ready in time."""


@contextmanager
def server(*, within: float = 20.0) -> Iterator[str]:
    """Serve while the block lasts; gives the address.

    Args:
        within: how long the start may take, seconds.

    An error that leaves the block gets a note with the last lines of the server's log.

    Raises:
        NotStarted: it ended, or was not ready in time.
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
            _await_ready(process, url, within)
            yield url
        except Exception as error:
            error.add_note("\n".join(["The server's log ends:", *_tail(home / "log")]))
            raise
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


def _await_ready(process: subprocess.Popen[bytes], url: str, within: float) -> None:
    until = time.monotonic() + within
    while process.poll() is None and time.monotonic() < until:
        if _ready(url):
            return
        time.sleep(0.05)
    raise NotStarted(f"no server was ready on {url} within {within:g} s")


def _tail(log: Path) -> list[str]:
    return log.read_text(errors="replace").splitlines()[-10:]


def _ready(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/health/ready", timeout=1).is_success
    except httpx2.HTTPError:
        return False
