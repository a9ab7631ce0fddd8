import socket
import threading

import pytest

from app.server.outlet import Budget, Gone, Outlet


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    ours.settimeout(0)
    theirs.settimeout(5)
    with ours, theirs:
        yield ours, theirs


def read(sock, count):
    data = b""
    while len(data) < count:
        data += sock.recv(65536)
    return data


def test_what_the_kernel_takes_is_sent_at_once(pair):
    outlet = Outlet(pair[0], Budget(100), room=100, patience=1)

    outlet.sendall(b"answer")

    assert outlet.pending == 0
    assert pair[1].recv(10) == b"answer"


def test_what_it_does_not_take_is_kept_in_order_and_nobody_waits(pair):
    budget = Budget(10 << 20)
    outlet = Outlet(pair[0], budget, room=10 << 20, patience=1)

    outlet.sendall(b"a" * 1_000_000)
    outlet.sendall(b"b")
    assert outlet.pending == budget.used > 1

    data = b""
    while outlet.pending:
        data += pair[1].recv(65536)
        outlet.flush()
    data += read(pair[1], 1_000_001 - len(data))
    assert data == b"a" * 1_000_000 + b"b"
    assert budget.used == 0


def test_a_thread_waits_when_there_is_no_room_and_goes_on_when_there_is(pair):
    outlet = Outlet(pair[0], Budget(10 << 20), room=1000, patience=5)
    got = []
    reader = threading.Thread(target=lambda: got.append(read(pair[1], 5_000_000)))
    reader.start()

    outlet.sendall(b"a" * 5_000_000)
    while outlet.pending:
        outlet.flush()

    reader.join(5)
    assert len(got[0]) == 5_000_000


def test_a_client_that_takes_nothing_is_gone(pair):
    outlet = Outlet(pair[0], Budget(10 << 20), room=1000, patience=0.01)

    with pytest.raises(Gone):
        outlet.sendall(b"a" * 5_000_000)


def test_a_slow_client_is_given_up_at_once_when_others_use_all_memory(pair):
    outlet = Outlet(pair[0], Budget(1000), room=10 << 20, patience=600)

    with pytest.raises(Gone):
        outlet.sendall(b"a" * 5_000_000)


def test_a_client_that_has_left_is_gone(pair):
    outlet = Outlet(pair[0], Budget(100), room=100, patience=1)
    pair[1].close()

    with pytest.raises(Gone):
        outlet.sendall(b"answer")


def test_what_nobody_will_read_is_forgotten(pair):
    budget = Budget(10 << 20)
    outlet = Outlet(pair[0], budget, room=10 << 20, patience=1)
    outlet.sendall(b"a" * 1_000_000)

    outlet.discard()

    assert outlet.pending == budget.used == 0


def test_the_event_loop_never_waits_for_a_full_client(pair):
    outlet = Outlet(pair[0], Budget(0), room=0, patience=60)

    outlet.try_send(b"a" * 5_000_000)
    outlet.try_send(b"b")

    assert outlet.pending == 0


def test_a_budget_gives_no_more_than_it_has():
    budget = Budget(10)

    assert budget.take(6)
    assert not budget.take(5)
    assert budget.take(-6)
    assert budget.take(10)
