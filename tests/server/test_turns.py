"""A caller's requests take turns, over socket pairs."""

from contextlib import ExitStack

import pytest

from app.server.turns import PATIENCE, TICK, Turns, places
from tests.server.parsing import parser
from tests.server.rig import Rig, problem

MOST = 2
ASKED = b"GET / HTTP/1.1\r\nHost: x\r\nX-Request-Id: mine\r\nAuthorization: %s\r\n\r\n"


class TurnsRig(Rig):
    """Traffic whose requests say themselves whose they are."""

    def __init__(self, stack):
        super().__init__(stack, parser())
        self.turns = Turns(
            MOST,
            begin=super().serve,
            refuse=self.traffic.refuse,
            clock=lambda: self.now,
        )

    def serve(self, conn):
        given = dict(conn.request.headers)["AUTHORIZATION"]
        self.turns.come(conn, None if given == "nobody" else given)

    def turn(self, seconds=0.0):
        super().turn(seconds)
        self.turns.tick()
        super().turn()

    def ask(self, caller, client=None):
        """Send a request; return its client."""
        client = client or self.connect()
        self.send(client, ASKED % caller.encode())
        return client

    def finish(self, conn, **more):
        """Answer a request that was on a thread."""
        self.served.remove(conn)
        self.turns.leave(conn)
        self.answer(conn, **more)


@pytest.fixture
def rig():
    with ExitStack() as stack:
        yield TurnsRig(stack)


def test_a_caller_has_few_requests_on_threads_and_the_others_come_in_order(rig):
    clients = [rig.ask("greedy") for _ in range(5)]
    assert len(rig.served) == MOST
    assert rig.traffic.serving == 5  # a drain waits for all of them

    for client in clients:
        rig.finish(rig.served[0], data=b"answer")
        assert client.recv(100) == b"answer"
        assert len(rig.served) <= MOST

    assert rig.served == []


def test_one_caller_does_not_wait_for_another(rig):
    for _ in range(9):
        rig.ask("greedy")

    rig.ask("modest")

    assert len(rig.served) == MOST + 1


def test_what_needs_no_turn_takes_none(rig):
    for _ in range(9):
        rig.ask("nobody")

    assert len(rig.served) == 9


def test_a_request_that_only_waits_gives_its_turn_away_and_that_once(rig):
    for _ in range(5):
        rig.ask("greedy")
    first, _ = rig.served

    rig.turns.leave(first)
    assert len(rig.served) == MOST + 1
    rig.finish(first)

    assert len(rig.served) == MOST


def test_a_kept_connection_takes_a_turn_for_each_request(rig):
    client = rig.connect()
    for _ in range(3):
        rig.ask("greedy", client)
        [conn] = rig.served
        rig.finish(conn, data=b"answer")
        assert client.recv(100) == b"answer"

    rig.ask("greedy", client)
    rig.ask("greedy")
    rig.ask("greedy")

    assert len(rig.served) == MOST


def test_whoever_has_waited_for_too_long_is_told_to_send_fewer(rig):
    for _ in range(MOST):
        rig.ask("greedy")
    late = rig.ask("greedy")
    rig.turn(PATIENCE - TICK)
    later = rig.ask("greedy")

    rig.turn(2 * TICK)

    told = problem(late)
    assert (told["status"], told["type"]) == (429, "/problems/too-many-at-once")
    assert told["request_id"] == "mine"
    assert rig.tally.refused == {429: 1}
    rig.finish(rig.served[0])
    rig.finish(rig.served[0])
    rig.finish(rig.served[0], data=b"answer")
    assert later.recv(100) == b"answer"


def test_a_client_that_has_gone_keeps_nobody_waiting(rig):
    for _ in range(MOST):
        rig.ask("greedy")
    rig.ask("greedy").close()
    last = rig.ask("greedy")

    rig.finish(rig.served[0])
    rig.finish(rig.served[0])
    rig.finish(rig.served[0], data=b"", keep=False)
    rig.finish(rig.served[0], data=b"answer")

    assert last.recv(100) == b"answer"


def test_nothing_is_remembered_of_callers_who_have_been_served(rig):
    rig.ask("greedy")
    rig.finish(rig.served[0])

    assert (rig.turns._lines, rig.turns._inside) == ({}, {})


@pytest.mark.parametrize(
    ("threads", "one"), [(2, 1), (3, 2), (8, 2), (16, 2), (32, 4), (256, 32)]
)
def test_a_caller_has_an_eighth_of_the_threads_and_never_all(threads, one):
    assert places(threads) == one
