"""Many requests at the same moment, over sockets of their own."""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer and how long it took, seconds."""

    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes
    took: float

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def flood(url: str, bodies: list[bytes], *, within: float) -> list[Reply]:
    """Post every body at once, and gather the answers in the same order."""

    async def run() -> list[Reply]:
        async with asyncio.timeout(within):
            return await asyncio.gather(*(_post(url, body) for body in bodies))

    return asyncio.run(run())


async def _post(url: str, body: bytes) -> Reply:
    parts = urlsplit(url)
    began = time.monotonic()
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        writer.write(
            f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
            "Content-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line, *fields = head.strip().split("\r\n")
        headers = {n.lower(): v.strip() for n, v in (f.split(":", 1) for f in fields)}
        answer = await reader.readexactly(int(headers["content-length"]))
        took = time.monotonic() - began
        return Reply(int(line.split(" ")[1]), headers, answer, took)
    finally:
        writer.close()
