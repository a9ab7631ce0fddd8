"""What other threads ask of the event loop."""

import os
import select
import threading

import pytest

from app.server.calls import Calls

PATIENCE = 30.0  # seconds


@pytest.fixture
def calls():
    made = Calls()
    made.init()
    yield made
    made.close()


def wakes(calls):
    return bool(select.select([calls], [], [], 0)[0])


def test_many_calls_wake_the_loop_once_and_are_made_in_their_order(calls):
    made: list[object] = []
    for number in range(1000):
        calls.defer(made.append, number)

    assert len(os.read(calls.fileno(), 65536)) == 1
    calls.run_callbacks(calls)

    assert made == [*range(1000)]
    assert not wakes(calls)


def test_a_call_that_asks_for_another_lets_the_loop_go_round_first(calls):
    made: list[object] = []
    calls.defer(calls.defer, made.append, "later")

    calls.run_callbacks(calls)
    assert made == []
    assert wakes(calls)
    calls.run_callbacks(calls)

    assert made == ["later"]


def test_a_call_that_fails_takes_no_other_along(calls, caplog):
    made: list[object] = []
    calls.defer(int, "no number")
    calls.defer(made.append, "another")

    calls.run_callbacks(calls)

    assert made == ["another"]
    assert [each.getMessage() for each in caplog.records] == [
        "A call of the event loop failed"
    ]


def test_no_call_of_many_threads_is_left_behind(calls):
    threads, each = 8, 2000
    made: list[int] = []
    asking = [
        threading.Thread(
            target=lambda: [calls.defer(made.append, n) for n in range(each)]
        )
        for _ in range(threads)
    ]
    for thread in asking:
        thread.start()

    while len(made) < threads * each:  # waits for a wake-up before each look
        assert select.select([calls], [], [], PATIENCE)[0], "nobody woke the loop"
        calls.run_callbacks(calls)

    assert len(made) == threads * each
