"""What one number of requests does not tell: latency, a full house, memory."""

import json
import socket
import sqlite3
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from statistics import median

from app.domain import times
from app.domain.execution import Payload
from app.store.sql import SqlStore
from bench import event, load
from bench.servers import Server, Tenant
from tests.store.company import found

SEATS, QUEUE = 110, 100
COMPUTING = 10
MINUTES = 800  # steps that compute
LOW = 100  # events a second that keep nobody busy
CALL = {"id": "call", "uses": "http.request", "timeout": 60}
NUMBERS = {"numbers": list(range(2400))}
COSTLY = "length(trigger.body.numbers[?@ > `5`])"  # some 10,000 steps of an evaluation
Figures = dict[str, float]


def calm(server: Server, url: str, seconds: int) -> Figures:
    """Answer a few events, and start what they ask for."""
    seen = _slowly(url, LOW, seconds)
    told = _queue_times(server)
    return {
        "low_p50_ms": seen.p50,
        "low_p99_ms": seen.p99,
        "queue_to_start_p50_ms": median(told),
    }


def half(url: str, saturated: float, seconds: int) -> Figures:
    """Answer half as many events as could be answered."""
    seen = _slowly(url, saturated / 2, seconds)
    return {"half_rate": seen.rate, "half_p50_ms": seen.p50, "half_p99_ms": seen.p99}


def stuck(server: Server, tenant: Tenant, light: str, seconds: int) -> Figures:
    """Answer while every seat is taken by a call that does not come back."""
    idle = _slowly(light, LOW, seconds)
    with silence() as port:
        url = f"http://127.0.0.1:{port}/"
        asked = tenant.hook(
            _name("Stuck"), {**CALL, "with": {"method": "GET", "url": url}}
        )
        for _ in range(SEATS):
            load.post_once(asked)
        full = _slowly(light, LOW, seconds)
        memory = server.memory()
        storm = load.post(light, connections=16, seconds=seconds)
    _until(lambda: tenant.ask("GET", "/stats")["pool"]["queued"] == 0)
    accepting = load.post(light, connections=16, seconds=seconds)
    return {
        "stuck_idle_p99_ms": idle.p99,
        "stuck_p99_ms": full.p99,
        "stuck_p99_ratio": full.p99 / idle.p99,
        "stuck_memory_mib": memory,
        "refusals_per_second": storm.rate,
        "refusals_ratio": storm.rate / accepting.accepted,
    }


def costly(tenant: Tenant) -> str:
    """Make a workflow that computes for minutes, and return its webhook."""
    steps = [
        {"id": f"n{n}", "uses": "set", "with": {"value": f"{{{{ {COSTLY} }}}}"}}
        for n in range(MINUTES)
    ]
    token = {"scheme": "token", "header": "X-Token", "secret": "x"}
    return tenant.hook("Costly", *steps, verify=token)


def _compute(costly: str) -> str:
    headers = {"Content-Type": "application/json", "X-Token": "x"}
    return load.post_once(costly, json.dumps(NUMBERS).encode(), headers)


def computing(tenant: Tenant, light: str, costly: str, seconds: int) -> Figures:
    """Answer while ten executions compute."""
    rate = QUEUE * 0.7 / seconds  # no more than waits, since nothing else gets a turn
    idle = _slowly(light, rate, seconds)
    begun = [_compute(costly) for _ in range(COMPUTING)]
    busy = _slowly(light, rate, seconds)
    for each in begun:
        tenant.ask("POST", f"/executions/{each}/cancel")
    _until(lambda: tenant.ask("GET", "/stats")["pool"]["busy"] == 0)
    return {
        "computing_idle_p99_ms": idle.p99,
        "computing_p50_ms": busy.p50,
        "computing_p99_ms": busy.p99,
        "computing_p99_ratio": busy.p99 / idle.p99,
    }


def sizes(hook: str, base: str, seconds: int) -> Iterator[tuple[str, Figures]]:
    """Take bodies of other sizes."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        for name, size in {"1 KB": 1e3, "100 KB": 1e5, "1 MB": 1e6}.items():
            body = Path(folder) / "body"
            whole = json.loads(event.BODY)
            kept = {k: whole[k] for k in ("action", "sender")}
            value = (kept if size < len(event.BODY) else whole) | {"filler": ""}
            value["filler"] = "x" * max(0, int(size) - len(json.dumps(value)))
            body.write_text(json.dumps(value))
            headers = event.headers(body.read_bytes())
            told = [
                load.post(
                    url, connections=16, seconds=seconds, body=body, headers=headers
                )
                for url in (base, hook)
            ]
            rates = [each.accepted for each in told]
            yield name, {"accepted": rates[1], "ratio": rates[1] / rates[0]}


def commits(seconds: float, threads: int = 16) -> float:
    """Record executions without HTTP: the store's group commit alone, rows a second."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        store = SqlStore(f"sqlite:///{folder}/store.db")
        store.start()
        add = _adding(store)
        end = time.monotonic() + seconds

        def work(_: int) -> int:
            count = 0
            while time.monotonic() < end:
                add()
                count += 1
            return count

        with ThreadPoolExecutor(threads) as pool:
            total = sum(pool.map(work, range(threads)))
        store.close()
    return total / seconds


def _adding(store: SqlStore) -> Callable[[], object]:
    company = found(store)
    payload = Payload(
        body=event.BODY,
        content_type="application/json",
        headers=event.HEADERS,
        query={},
        method="POST",
        path="",
        received_at=times.now(),
    )
    return lambda: store.executions.add(company.execution(), payload).result()


@contextmanager
def silence() -> Iterator[int]:
    """Listen on a port, take every connection and never answer; yields the port."""
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listener:
        taken: list[socket.socket] = []
        is_open = threading.Event()

        def take() -> None:
            while not is_open.is_set():
                taken.append(listener.accept()[0])

        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            is_open.set()
            socket.create_connection(listener.getsockname()).close()
            thread.join()
            for each in taken:
                each.close()


def _name(kind: str) -> str:
    return f"{kind} {uuid.uuid4()}"


def _slowly(url: str, rate: float, seconds: int) -> load.Load:
    """Post so many a second, from sixteen connections."""
    return load.post(url, connections=16, seconds=seconds, pause=16_000 / rate)


def executed(server: Server) -> int:
    """Count the executions that are stored."""
    with _stored(server) as connection:
        [[count]] = connection.execute("SELECT count(*) FROM executions")
        return int(count)


def _stored(server: Server) -> "closing[sqlite3.Connection]":
    return closing(sqlite3.connect(server.home / "data" / "sluice.db"))


def _queue_times(server: Server) -> list[int]:
    """Milliseconds that the last executions waited for a thread."""
    query = (
        "SELECT started_at - created_at FROM executions"
        " WHERE started_at IS NOT NULL ORDER BY id DESC LIMIT 100"
    )
    with _stored(server) as connection:
        return [row[0] for row in connection.execute(query)]


def _until(holds: Callable[[], bool], within: float = 120) -> None:
    end = time.monotonic() + within
    while not holds():
        if time.monotonic() > end:
            raise SystemExit("the server is still busy")
        time.sleep(0.1)
