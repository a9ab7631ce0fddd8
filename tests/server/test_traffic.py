import socket

import pytest

from app.server.connection import Phase
from tests.server.rig import GET, POST, problem, read_all


def test_a_request_goes_to_a_thread_once_it_is_whole(rig):
    client = rig.connect()

    rig.send(client, GET[:-1])
    assert rig.served == []
    rig.send(client, GET[-1:])

    assert [conn.request.method for conn in rig.served] == ["GET"]
    assert rig.traffic.serving == 1


def test_a_silent_connection_is_closed_without_a_word_after_15_seconds(rig):
    client = rig.connect()

    rig.turn(14.9)
    assert len(rig.traffic) == 1
    rig.turn(0.2)

    assert read_all(client) == b""
    assert len(rig.traffic) == 0


@pytest.mark.parametrize("beginning", [b"G", GET[:-1], POST % 100, POST % 100 + b"a"])
def test_a_request_that_is_not_whole_after_15_seconds_gets_408(rig, beginning):
    client = rig.connect()
    rig.send(client, beginning)

    rig.turn(10)
    rig.send(client, b"a")
    rig.turn(5.1)

    assert problem(client)["status"] == 408
    assert rig.served == []


def test_header_and_body_have_15_seconds_together(rig):
    client = rig.connect()
    rig.send(client, b"POST / HTTP/1.1\r\n")
    rig.turn(8)
    rig.send(client, b"Host: x\r\nContent-Length: 100\r\n\r\n")
    rig.turn(6.9)
    assert len(rig.traffic) == 1

    rig.turn(0.2)

    assert problem(client)["status"] == 408


def test_a_kept_connection_may_be_idle_longer_than_a_request_may_take(rig):
    client = rig.connect()
    rig.send(client, GET)
    rig.answer(rig.served.pop())

    rig.turn(100)
    rig.send(client, GET)
    assert len(rig.served) == 1
    rig.answer(rig.served.pop())
    rig.turn(120.1)

    assert len(rig.traffic) == 0


def test_the_next_request_of_a_kept_connection_has_15_seconds_from_its_first_byte(rig):
    client = rig.connect()
    rig.send(client, GET)
    rig.answer(rig.served.pop(), b"")
    rig.turn(100)
    rig.send(client, b"G")
    rig.turn(14.9)
    assert len(rig.traffic) == 1

    rig.turn(0.2)

    assert problem(client)["status"] == 408


def test_a_request_cut_short_is_dropped_and_never_run(rig):
    client = rig.connect()
    rig.send(client, POST % 100 + b"abc")

    client.shutdown(socket.SHUT_WR)
    rig.turn()

    assert rig.served == []
    assert len(rig.traffic) == 0
    assert rig.traffic.received.used == 0


def test_a_client_that_only_ends_its_sending_side_is_answered(rig):
    client = rig.connect()
    client.sendall(GET)
    client.shutdown(socket.SHUT_WR)
    rig.turn()

    rig.answer(rig.served.pop(), b"answer", keep=False)

    assert read_all(client) == b"answer"


def test_pipelined_requests_are_served_one_after_the_other(rig):
    client = rig.connect()

    rig.send(client, GET * 3)

    for number in range(3):
        assert len(rig.served) == 1
        rig.answer(rig.served.pop(), b"%d" % number)
    assert client.recv(10) == b"012"
    assert rig.served == []


def test_a_kept_connection_is_made_known_to_the_poller_once(rig):
    client = rig.connect()
    rig.send(client, GET)
    [conn] = rig.served
    known = rig.poller.get_key(conn.sock)

    rig.answer(conn)
    rig.send(client, GET)

    assert rig.served == [conn, conn]
    assert rig.poller.get_key(conn.sock) is known


def test_what_is_pipelined_behind_a_closing_request_is_not_served(rig):
    client = rig.connect()
    rig.send(client, GET * 2)

    rig.answer(rig.served.pop(), keep=False)

    assert rig.served == []


def test_the_loop_says_100_continue(rig):
    client = rig.connect()

    rig.send(client, POST[:-2] % 3 + b"Expect: 100-continue\r\n\r\n")
    assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
    rig.send(client, b"abc")

    assert rig.served.pop().request.body.read() == b"abc"


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"GET / HTTP/1.1\nHost: x\n\n", 400),
        (POST % 2_000_000, 413),
        (b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: br\r\n\r\n", 501),
        (b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        (GET[:-2] + b"X-A: b\r\n" * 100 + b"\r\n", 431),
    ],
)
def test_the_loop_answers_what_no_thread_should_see(rig, data, status):
    client = rig.connect()

    rig.send(client, data)

    assert problem(client)["status"] == status
    assert rig.tally.refused == {status: 1}
    assert rig.served == []


def test_a_refused_head_request_gets_no_body(rig):
    client = rig.connect()

    rig.send(client, b"HEAD / HTTP/1.1\r\n\r\n")

    head, _, body = read_all(client).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert body == b""


def test_a_refusal_carries_the_clients_request_id(rig):
    client = rig.connect()

    rig.send(client, POST[:-2] % 2_000_000 + b"X-Request-Id: abc-1\r\n\r\n")

    assert problem(client)["request_id"] == "abc-1"


def test_the_sender_of_a_too_large_body_can_finish_and_read_its_413(rig):
    client = rig.connect()
    rig.send(client, POST % 4_000_000)

    for _ in range(60):
        rig.send(client, b"a" * 65536)

    assert problem(client)["status"] == 413
    client.shutdown(socket.SHUT_WR)
    rig.turn()
    assert len(rig.traffic) == 0


def test_a_closed_connection_is_listened_to_for_two_seconds(rig):
    client = rig.connect()
    rig.send(client, GET)
    rig.answer(rig.served.pop(), keep=False)

    rig.turn(1.9)
    assert len(rig.traffic) == 1
    rig.turn(0.2)

    assert len(rig.traffic) == 0


def test_a_closed_connection_is_listened_to_for_8_mib(make_rig):
    rig = make_rig(max_lingered=100_000)
    client = rig.connect()
    rig.send(client, POST % 2_000_000)

    rig.send(client, b"a" * 100_000)
    assert len(rig.traffic) == 1
    rig.send(client, b"a")

    assert len(rig.traffic) == 0


def test_memory_for_what_arrives_is_bounded_over_all_connections(make_rig):
    rig = make_rig(received=100_000)
    first, second = rig.connect(), rig.connect()
    rig.send(first, POST % 90_000 + b"a" * 60_000)

    rig.send(second, POST % 90_000 + b"a" * 60_000)

    reply = read_all(second)
    assert reply.startswith(b"HTTP/1.1 503 ")
    assert b"Retry-After: 1" in reply
    rig.send(first, b"a" * 30_000)
    assert len(rig.served) == 1


def test_a_body_is_counted_until_its_request_is_answered(rig):
    client = rig.connect()
    rig.send(client, POST % 50_000 + b"a" * 50_000)
    assert rig.traffic.received.used == 50_000

    rig.answer(rig.served.pop())

    assert rig.traffic.received.used == 0


def test_the_rest_of_an_answer_is_sent_as_the_client_reads(rig):
    client = rig.connect()
    rig.send(client, GET)
    conn = rig.served.pop()
    rig.answer(conn, b"a" * 1_000_000)
    assert conn.phase is Phase.WRITING

    data = b""
    while len(data) < 1_000_000:
        data += client.recv(65536)
        rig.turn()

    assert rig.traffic.unsent.used == 0
    rig.send(client, GET)
    assert len(rig.served) == 1


def test_a_client_that_reads_nothing_is_cut_after_the_write_timeout(rig):
    client = rig.connect()
    rig.send(client, GET)
    rig.answer(rig.served.pop(), b"a" * 1_000_000)

    rig.turn(29.9)
    assert len(rig.traffic) == 1
    rig.turn(0.2)

    assert len(rig.traffic) == 0
    assert rig.traffic.unsent.used == 0


def test_slow_readers_cannot_fill_the_memory_for_requests(make_rig):
    rig = make_rig(unsent=10_000_000, received=10)
    rig.send(rig.connect(), GET)
    rig.answer(rig.served.pop(), b"a" * 1_000_000)

    rig.send(rig.connect(), GET)

    assert len(rig.served) == 1


def test_a_client_that_reads_nothing_gets_no_second_answer_prepared(rig):
    client = rig.connect()
    rig.send(client, GET * 10)

    rig.answer(rig.served.pop(), b"a" * 1_000_000)

    assert rig.served == []


def test_when_full_the_connection_idle_for_longest_makes_room(make_rig):
    rig = make_rig(connections=3)
    oldest, busy = rig.connect(), rig.connect()
    rig.turn(5)
    younger = rig.connect()
    rig.send(busy, b"G")
    rig.turn(2)
    assert rig.traffic.has_room

    rig.connect()

    assert oldest.recv(1) == b""
    assert len(rig.traffic) == 3
    assert rig.tally.evicted == 1
    rig.send(younger, GET)
    assert len(rig.served) == 1


def test_there_is_no_room_when_all_are_busy_or_just_came(make_rig):
    rig = make_rig(connections=2)
    rig.send(rig.connect(), GET)
    rig.connect()

    assert not rig.traffic.has_room


def test_a_reset_connection_is_forgotten(rig):
    client = rig.connect()
    rig.send(client, b"G")

    client.close()
    rig.turn()

    assert len(rig.traffic) == 0


def test_a_failure_in_one_connection_does_not_reach_the_others(rig, caplog):
    broken, fine = rig.connect(), rig.connect()
    rig.broken = True
    rig.send(broken, GET)
    rig.broken = False

    rig.send(fine, GET)

    assert broken.recv(1) == b""
    assert len(rig.served) == 1
    assert "its handling failed" in caplog.text


def test_while_the_process_ends_idle_connections_live_two_seconds(rig):
    kept, partial = rig.connect(), rig.connect()
    rig.send(kept, GET)
    rig.answer(rig.served.pop())
    rig.send(partial, b"G")

    rig.traffic.hush(2.0)
    rig.turn(2.1)

    assert len(rig.traffic) == 1
    rig.send(partial, GET[1:])
    rig.answer(rig.served.pop())
    rig.turn(2.1)
    assert len(rig.traffic) == 0


def test_what_is_left_at_the_end_is_closed_but_for_requests_in_threads(rig):
    rig.send(rig.connect(), GET)
    rig.connect()

    assert rig.traffic.abandon() == 1
    assert rig.traffic.serving == 1
