"""A caller's requests take turns, with a real process."""

import asyncio
from functools import partial

import pytest

from tests.server import clients
from tests.server.clients import HOST

pytestmark = pytest.mark.system


def asked(path, caller):
    head = f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {caller}\r\n"
    return f"{head}Connection: close\r\n\r\n".encode()


@pytest.mark.parametrize("ends", [False, True], ids=["it goes on", "the server ends"])
def test_however_much_one_asks_two_of_sixteen_threads_are_his(serve, ends):
    server = serve()

    async def many():
        ask = partial(clients.ask, server.port)
        greedy = [asyncio.create_task(ask(asked("/hold", "me"))) for _ in range(40)]
        modest = [await ask(asked("/", "you")) for _ in range(20)]
        reader, writer = await asyncio.open_connection(HOST, server.port)
        if ends:
            server.send("TERM")
        writer.write(asked("/release?after=2", "you"))
        released = await reader.read()
        await clients.closed(writer)
        return modest, released, await asyncio.gather(*greedy)

    modest, released, greedy = asyncio.run(many())

    assert all(each.endswith(b"ok") for each in modest)
    assert released.endswith(b"released")
    assert all(each.endswith(b"held, 2 at most") for each in greedy)
