"""The other side of every `http.request`: counts what arrives."""

import asyncio
import json
import re
import threading
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True, slots=True)
class Arrival:
    """One complete request."""

    at: float  # time.monotonic()
    method: str
    path: str  # without the query
    headers: Mapping[str, str]  # names in lower case
    body: bytes

    @property
    def key(self) -> str | None:
        return self.headers.get("idempotency-key")

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Sink:
    """An HTTP server on loopback, in a thread of its own.

    ``?seconds=8`` answers that much later, ``?status=500`` with that status, and
    ``?held=1`` once `release` was called.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._arrivals: list[Arrival] = []
        self._at: dict[str, list[Arrival]] = defaultdict(list)
        self._loop = asyncio.new_event_loop()
        self._released = asyncio.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._ready = threading.Event()
        self._port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def release(self) -> None:
        """Answer what is held, now and from now on."""
        self._loop.call_soon_threadsafe(self._released.set)

    def arrivals(self) -> list[Arrival]:
        with self._changed:
            return list(self._arrivals)

    def at(self, path: str) -> list[Arrival]:
        with self._changed:
            return list(self._at[path])

    def wait_for(self, count: int, *, within: float) -> list[Arrival]:
        """Wait until so many requests have arrived in all."""
        with self._changed:
            came = self._changed.wait_for(lambda: len(self._arrivals) >= count, within)
            assert came, f"{len(self._arrivals)} of {count} requests in {within} s"
            return list(self._arrivals)

    def wait_at(self, path: str, *, within: float) -> Arrival:
        """Wait for the first request to this path."""
        with self._changed:
            came = self._changed.wait_for(lambda: self._at[path], within)
            assert came, f"nothing came to {path} in {within} s"
            return self._at[path][0]

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            asyncio.start_server(self._connection, "127.0.0.1", 0, backlog=2048)
        )
        self._port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.close()

    async def _connection(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            while await self._exchange(reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the other side was killed, or the test is over
        finally:
            writer.close()

    async def _exchange(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line, *fields = head.strip().split("\r\n")
        method, target, _ = line.split(" ")
        headers = {n.lower(): v.strip() for n, v in (f.split(":", 1) for f in fields)}
        body = await _body(reader, headers)
        parts = urlsplit(target)
        self._keep(Arrival(time.monotonic(), method, parts.path, headers, body))
        wanted = {name: value[-1] for name, value in parse_qs(parts.query).items()}
        await asyncio.sleep(float(wanted.get("seconds", 0)))
        if "held" in wanted:
            await self._released.wait()
        status = int(wanted.get("status", 200))
        writer.write(
            f"HTTP/1.1 {status} Told\r\nContent-Type: application/json\r\n"
            'Content-Length: 11\r\n\r\n{"ok":true}'.encode()
        )
        await writer.drain()
        return headers.get("connection", "").lower() != "close"

    def _keep(self, arrival: Arrival) -> None:
        with self._changed:
            self._arrivals.append(arrival)
            self._at[arrival.path].append(arrival)
            self._changed.notify_all()


async def _body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    if "chunked" not in headers.get("transfer-encoding", ""):
        return await reader.readexactly(int(headers.get("content-length", 0)))
    parts = []
    while size := int(re.split(rb"[;\r]", await reader.readline())[0], 16):
        parts.append(await reader.readexactly(size))
        await reader.readexactly(2)
    await reader.readline()
    return b"".join(parts)
