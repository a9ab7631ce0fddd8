"""wrk with a script: the load, and what came of it."""

import http.client
import json
import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from bench import event
from bench.servers import free_port, wait_for

HERE = Path(__file__).parent
TRIES = 3  # runs without any answer, on a machine that stands still
STATIC = """
daemon off; master_process off; pid {home}/pid; error_log {home}/error;
events {{ worker_connections 1024; }}
http {{
  access_log off; client_body_temp_path {home}/body; client_max_body_size 2m;
  proxy_temp_path {home}/a; fastcgi_temp_path {home}/b; uwsgi_temp_path {home}/c;
  scgi_temp_path {home}/d;
  server {{ listen 127.0.0.1:{port}; location / {{ return 202; }} }}
}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What one run of wrk saw; times in milliseconds."""

    requests: int
    refused: int  # answers that were neither 2xx nor 3xx
    broken: int  # connections that failed, and requests without an answer in time
    seconds: float
    p50: float
    p99: float
    max: float

    @property
    def rate(self) -> float:
        """Answers a second, of whatever kind."""
        return self.requests / self.seconds

    @property
    def accepted(self) -> float:
        """Answers a second that told of success."""
        return (self.requests - self.refused) / self.seconds


def post(  # noqa: PLR0913
    url: str,
    *,
    connections: int,
    seconds: int,
    pause: float = 0,
    body: Path = HERE / "release.json",
    headers: dict[str, str] | None = None,
) -> Load:
    """Post events from so many connections.

    Args:
        url: the whole address.
        connections: kept alive; each sends its next event when it has its answer.
        seconds: how long.
        pause: milliseconds that a connection waits before it sends, on the average.
        body: what is posted.
        headers: in place of the event's own.
    """
    base, path = url[: url.index("/", 8)], url[url.index("/", 8) :]
    told = event.HEADERS if headers is None else headers
    env = {
        "PATH": os.environ["PATH"],
        "BODY": str(body),
        "TARGET": path,
        "HEADERS": "\n".join(f"{name}: {value}" for name, value in told.items()),
        "ID": "X-GitHub-Delivery",
        "RUN": uuid.uuid4().hex,
        "PAUSE": str(pause),
    }
    for _ in range(TRIES):
        done = subprocess.run(
            [
                wrk(),
                "-t1",
                f"-c{connections}",
                f"-d{seconds}s",
                "--timeout=30s",
                f"-s{HERE / 'post.lua'}",
                base,
            ],
            env=env,
            check=True,
            capture_output=True,
            text=True,
            timeout=seconds + 60,
        )
        seen = Load(**_last_object(done.stdout))
        if seen.requests:
            return seen
    raise SystemExit(f"no answer from {base} in {TRIES} runs of {seconds} s")


def post_once(
    url: str, body: bytes = event.BODY, headers: dict[str, str] | None = None
) -> str:
    """Post one event, which must be accepted; return its execution's id."""
    host, _, path = url.removeprefix("http://").partition("/")
    told = event.HEADERS if headers is None else headers
    with closing(http.client.HTTPConnection(host, timeout=30)) as connection:
        sent = {**told, "X-GitHub-Delivery": str(uuid.uuid4())}
        connection.request("POST", f"/{path}", body, sent)
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != HTTPStatus.ACCEPTED:
            raise SystemExit(f"not accepted: {answer.status} {text!r}")
        execution_id: str = json.loads(text)["execution_id"]
        return execution_id


@contextmanager
def ceiling(home: Path) -> Iterator[str]:
    """Serve a fixed answer in C; yields its address.

    What the generator reaches here is its own limit.
    """
    nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if nginx is None:
        raise SystemExit("nginx shows the generator's limit and is missing.")
    home.mkdir(parents=True, exist_ok=True)
    port = free_port()
    (home / "conf").write_text(STATIC.format(home=home, port=port))
    process = subprocess.Popen(
        [nginx, "-p", str(home), "-c", str(home / "conf"), "-e", str(home / "error")]
    )
    try:
        wait_for(port)
        yield f"http://127.0.0.1:{port}/hooks/token"
    finally:
        process.terminate()
        process.wait()


def wrk() -> str:
    """Find the load generator."""
    found = shutil.which("wrk")
    if found is None:
        raise SystemExit("wrk makes the load and is missing; install the package wrk.")
    return found


def _last_object(text: str) -> dict[str, Any]:
    lines = [line for line in text.splitlines() if line.startswith("{")]
    found: dict[str, Any] = json.loads(lines[-1])
    return found
