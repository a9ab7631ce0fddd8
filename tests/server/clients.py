"""Good and bad clients over real sockets, with asyncio."""

import asyncio
import socket
import time
from contextlib import suppress
from dataclasses import dataclass, field

HOST = "127.0.0.1"
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
CLOSING = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
POST = b"POST /body HTTP/1.1\r\nHost: x\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
PIECE = 256 << 10
UNREAD = f"GET /big?size={PIECE} HTTP/1.1\r\nHost: x\r\n\r\n".encode() * 40


async def drip(writer, data, gap=1.0):
    for byte in data:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(gap)


async def silent(writer):
    await writer.drain()


async def header_by_byte(writer):
    await drip(writer, GET[:-4] + b"\r\nX-A: " + b"a" * 60)


async def header_every_ten_seconds(writer):
    await drip(writer, GET[:10], gap=10)


async def body_by_byte(writer):
    writer.write(POST + b"Content-Length: 4000\r\n\r\n")
    await drip(writer, b"a" * 60)


async def late_body(writer):
    await drip(writer, POST[:8])
    writer.write(POST[8:] + b"Content-Length: 4000\r\n\r\n")
    await drip(writer, b"a" * 60)


async def small_chunks(writer):
    writer.write(CHUNKED)
    for _ in range(60):
        writer.write(b"1\r\na\r\n")
        await writer.drain()
        await asyncio.sleep(1)


async def fake_end(writer):
    writer.write(CHUNKED + b"ff\r\nab\r\n0\r\n\r\n")
    await writer.drain()


async def close_held_open(writer):
    writer.write(CLOSING)
    await writer.drain()


SLOW_SENDERS = {
    "silent": silent,
    "header 1 byte a second": header_by_byte,
    "header 1 byte in 10 seconds": header_every_ten_seconds,
    "body 1 byte a second": body_by_byte,
    "8 s of header, then body": late_body,
    "chunks of 1 byte": small_chunks,
    "fake end of chunks": fake_end,
}


@dataclass
class Seen:
    """What clients of one kind saw; times in seconds."""

    closed: list[float] = field(default_factory=list)
    statuses: list[bytes] = field(default_factory=list)

    @property
    def first(self):
        return min(self.closed)

    @property
    def last(self):
        return max(self.closed)


async def be_slow(port, send, seen, connected, *, hold=0.0):
    """Send slowly until the server closes, then keep this end open for `hold`."""
    reader, writer = await asyncio.open_connection(HOST, port)
    connected.release()
    began = time.monotonic()
    sending = asyncio.create_task(send(writer))
    answer = b""
    with suppress(ConnectionError):
        answer = await reader.read()
    seen.closed.append(time.monotonic() - began)
    seen.statuses.append(answer[9:12])
    sending.cancel()
    with suppress(asyncio.CancelledError, ConnectionError):
        await sending
    await asyncio.sleep(hold)
    await closed(writer)


async def never_read(port, seconds):
    """Ask for much, read nothing, and go `seconds` later."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    sock.settimeout(0)
    with sock:
        loop = asyncio.get_running_loop()
        await loop.sock_connect(sock, (HOST, port))
        await loop.sock_sendall(sock, UNREAD)
        await asyncio.sleep(seconds)


async def closed(writer):
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


async def ask(port, request=CLOSING):
    """Send a request on a new connection, and return all that comes."""
    async with asyncio.timeout(30):
        reader, writer = await asyncio.open_connection(HOST, port)
        writer.write(request)
        answer = b""
        with suppress(ConnectionError):
            while piece := await reader.read(65536):
                answer += piece
        await closed(writer)
        return answer


async def probe(port, times, until):
    """Make a new connection every 0.2 s, and note how long each answer took."""
    probes = []

    async def once():
        began = time.monotonic()
        answer = await ask(port)
        assert answer.startswith(b"HTTP/1.1 200 "), answer
        times.append(time.monotonic() - began)

    while time.monotonic() < until:
        probes.append(asyncio.create_task(once()))
        await asyncio.sleep(0.2)
    await asyncio.gather(*probes)


async def read_answer(reader):
    """Read one answer that has a Content-Length, and return its header."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        int(line[16:]) for line in head.split(b"\r\n") if line.startswith(b"Content-L")
    )
    await reader.readexactly(length)
    return head


async def keep_asking(port, until, *, pause=0.0):
    """Use kept connections as good clients do: look before using one again."""
    answers = 0
    reader, writer = await asyncio.open_connection(HOST, port)
    while time.monotonic() < until:
        if reader.at_eof():
            await closed(writer)
            reader, writer = await asyncio.open_connection(HOST, port)
        writer.write(GET)
        head = await read_answer(reader)
        assert head.startswith(b"HTTP/1.1 200 "), head
        answers += 1
        if b"Connection: close" in head:
            await closed(writer)
            reader, writer = await asyncio.open_connection(HOST, port)
        await asyncio.sleep(pause)
    await closed(writer)
    return answers


async def ask_again(port, until):
    """Use a new connection for each request."""
    answers = 0
    while time.monotonic() < until:
        answer = await ask(port)
        assert answer.startswith(b"HTTP/1.1 200 "), answer
        answers += 1
    return answers
