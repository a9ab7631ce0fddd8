"""As many requests as a few kept connections can carry."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

CONNECTIONS = 12


@dataclass(frozen=True, slots=True)
class Blow:
    """What came of many requests."""

    statuses: Counter[int]
    seconds: float

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.statuses.total() / self.seconds


def hammer(url: str, body: bytes, count: int, *, within: float = 120.0) -> Blow:
    """Post one body so many times, and read every answer."""

    async def run() -> Blow:
        left = iter(range(count))
        began = time.monotonic()
        async with asyncio.timeout(within):
            seen = await asyncio.gather(
                *(_connection(url, body, left) for _ in range(CONNECTIONS))
            )
        took = time.monotonic() - began
        return Blow(sum(seen, Counter()), took)

    return asyncio.run(run())


async def _connection(url: str, body: bytes, left: Iterator[int]) -> Counter[int]:
    parts = urlsplit(url)
    request = (
        f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    seen: Counter[int] = Counter()
    for _ in left:
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        _, _, rest = head.partition(b"content-length: ")
        await reader.readexactly(int(rest.split(b"\r\n", 1)[0]))
        seen[int(head[9:12])] += 1
    writer.close()
    await writer.wait_closed()
    return seen
