"""Slow clients of every kind, 200 of each, against real processes.

They measure time, so nothing else may run beside them.
"""

import asyncio
import json
import time

import pytest

from tests.server import clients
from tests.server.clients import CLOSING, Seen

pytestmark = [pytest.mark.system, pytest.mark.alone]

SLOW = 200  # connections of each kind
TOO_SLOW = (14.5, 16.5)  # seconds after which a slow sender must be cut
PROMPT = 1.0  # seconds a good client may wait meanwhile


async def slow_senders(port, kinds):
    """Run 200 clients of each kind side by side, with a good one in between."""
    seen = {kind: Seen() for kind in kinds}
    times: list[float] = []
    connected = asyncio.Semaphore(0)
    async with asyncio.TaskGroup() as group:
        for kind in kinds * SLOW:
            send = clients.SLOW_SENDERS[kind]
            group.create_task(clients.be_slow(port, send, seen[kind], connected))
        for _ in kinds * SLOW:
            await connected.acquire()
        group.create_task(clients.probe(port, times, time.monotonic() + 16))
    return seen, times


async def bad_readers(port):
    """Run 200 clients that hold their end open and 200 that never read."""
    held = Seen()
    times: list[float] = []
    connected = asyncio.Semaphore(0)
    send = clients.close_held_open
    async with asyncio.TaskGroup() as group:
        for _ in range(SLOW):
            group.create_task(clients.be_slow(port, send, held, connected, hold=17))
            group.create_task(clients.never_read(port, 20))
        for _ in range(SLOW):
            await connected.acquire()
        await clients.probe(port, times, time.monotonic() + 17)
        answer = await clients.ask(port, CLOSING.replace(b"/", b"/files", 1))
    return held, times, json.loads(answer.partition(b"\r\n\r\n")[2])["sockets"]


def test_slow_clients_of_every_kind_are_cut_and_delay_nobody(serve, record_property):
    servers = [serve(), serve(), serve(), serve(SLUICE_WRITE_TIMEOUT="15")]
    kinds = [*clients.SLOW_SENDERS]

    async def all_at_once():
        return await asyncio.gather(
            slow_senders(servers[0].port, kinds[:3]),
            slow_senders(servers[1].port, kinds[3:5]),
            slow_senders(servers[2].port, kinds[5:]),
            bad_readers(servers[3].port),
        )

    *senders, (held, times, sockets) = asyncio.run(all_at_once())

    for seen, probes in senders:
        for kind, each in seen.items():
            figures = f"cut after {each.first:.2f} to {each.last:.2f} s"
            record_property(kind, f"{figures}, probe at most {max(probes):.3f} s")
            assert len(each.closed) == SLOW
            assert TOO_SLOW[0] <= each.first <= each.last <= TOO_SLOW[1], figures
            assert set(each.statuses) == {b"" if kind == "silent" else b"408"}
        assert len(probes) > 60
        assert max(probes) < PROMPT
    figures = f"probe at most {max(times):.3f} s, {sockets} sockets after 17 s"
    record_property("close held open, and never read", figures)
    assert set(held.statuses) == {b"200"}
    assert max(times) < PROMPT
    assert sockets < SLOW / 2
    for each in servers:
        assert "WORKER TIMEOUT" not in each.output()
