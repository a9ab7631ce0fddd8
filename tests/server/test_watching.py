"""The tally, the watchdog, and the limits of the process."""

import json
import logging
import re
import resource
import subprocess
import sys

import pytest

from app.server import process, refused
from app.server.tally import LINES, Tally
from app.server.watchdog import Watchdog


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def logged(caplog):
    caplog.set_level(logging.INFO)
    return lambda: [each.getMessage() for each in caplog.records]


def test_refusals_are_counted_by_status_and_logged(clock, logged, caplog):
    tally = Tally(clock)

    tally.refuse(refused.too_slow(15), "abc")

    assert tally.refused == {408: 1}
    assert logged() == ["Request refused by the event loop"]
    assert (caplog.records[0].status, caplog.records[0].request_id) == (408, "abc")


def test_a_flood_of_refusals_is_summed_up_each_second(clock, logged, caplog):
    tally = Tally(clock)
    for _ in range(LINES + 300):
        tally.refuse(refused.too_slow(15), "abc")

    clock.now += 1
    tally.tick()
    tally.refuse(refused.too_slow(15), "abc")

    assert tally.refused == {408: LINES + 301}
    assert len(logged()) == LINES + 2
    assert caplog.records[LINES].count == 300


def test_a_quiet_second_is_not_mentioned(clock, logged):
    tally = Tally(clock)
    clock.now += 5

    tally.tick()

    assert logged() == []


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        (refused.malformed("It is not HTTP."), 400),
        (refused.too_slow(15), 408),
        (refused.too_large(10), 413),
        (refused.too_busy(), 503),
        (refused.failed(), 500),
    ],
)
def test_an_answer_is_a_problem_document_that_closes_the_connection(reason, status):
    wire = refused.answer(reason, request_id="abc")

    head, _, body = wire.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0].startswith(f"HTTP/1.1 {status} ")
    assert "Connection: close" in lines
    assert f"Content-Length: {len(body)}" in lines
    assert ("Retry-After: 1" in lines) == (status == 503)
    document = json.loads(body)
    assert document["status"] == status
    assert document["request_id"] == "abc"
    assert set(document) >= {"type", "title", "detail"}


def test_an_answer_to_head_has_the_length_and_not_the_body():
    whole = refused.answer(refused.too_slow(15), request_id="abc")
    head = refused.answer(refused.too_slow(15), request_id="abc", bodiless=True)

    assert head.endswith(b"\r\n\r\n")
    assert f"Content-Length: {len(whole) - len(head)}".encode() in head


@pytest.mark.parametrize("offered", ["", "a b", "a\r\nb", "é", "a" * 129, None])
def test_a_request_id_that_could_do_harm_is_replaced(offered):
    assert refused.request_id(offered) != offered
    assert re.fullmatch(r"req_[0-9a-f]{32}", refused.request_id(offered))


def test_a_loop_that_stood_still_is_reported_when_it_turns_again(clock, logged):
    watchdog = Watchdog(5.0, clock)
    clock.now += 4.9
    watchdog.beat()
    clock.now += 5.1

    watchdog.beat()

    watchdog.stop()
    assert logged() == ["The event loop stood still; stderr has the stacks"]


@pytest.fixture
def stderr(tmp_path):
    with (tmp_path / "stderr").open("w+") as opened:
        yield opened


def written(stderr):
    stderr.seek(0)
    return stderr.read()


def test_the_watchdog_writes_the_stacks_once_while_the_loop_stands_still(clock, stderr):
    watchdog = Watchdog(5.0, clock, stderr=stderr)
    for _ in range(8):
        clock.now += 1.0
        watchdog.look()

    assert written(stderr).count("Stacks while the event loop stands still:") == 1
    assert "test_the_watchdog_writes_the_stacks_once" in written(stderr)


def test_it_writes_them_again_when_the_loop_stands_still_again(clock, stderr):
    watchdog = Watchdog(5.0, clock, stderr=stderr)
    for _ in range(2):
        for _ in range(6):
            clock.now += 1.0
            watchdog.look()
        watchdog.beat()

    assert written(stderr).count("Stacks while the event loop stands still:") == 2


def test_it_writes_nothing_while_the_loop_turns(clock, stderr):
    watchdog = Watchdog(5.0, clock, stderr=stderr)
    for _ in range(20):
        clock.now += 1.0
        watchdog.look()
        watchdog.beat()

    assert written(stderr) == ""


def test_a_process_that_was_stopped_itself_writes_nothing(clock, stderr):
    watchdog = Watchdog(5.0, clock, stderr=stderr)
    watchdog.look()
    clock.now += 600.0

    watchdog.look()

    assert written(stderr) == ""


@pytest.fixture
def open_files():
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield before
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_the_limit_of_open_files_is_raised_and_never_lowered(open_files):
    _, hard = open_files
    resource.setrlimit(resource.RLIMIT_NOFILE, (200, hard))

    assert process.raise_open_files(300) == 300
    assert process.raise_open_files(250) == 300
    assert process.raise_open_files(hard + 1) == hard


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (None, 0),
        (SystemExit(0), 0),
        (SystemExit(None), 0),
        (SystemExit(3), 3),
        (SystemExit(-1), 255),
        (SystemExit("text"), 1),
        (ValueError(), 1),
    ],
)
def test_the_process_keeps_the_code_of_what_ends_it(error, code):
    assert process.exit_code(error) == code


def test_a_process_leaves_with_its_code_and_its_last_words_and_without_ado():
    ending = (
        "import atexit, sys, threading, time; from app.server import process;"
        " atexit.register(print, 'ado');"
        " threading.Thread(target=lambda: (time.sleep(0.1), print('last'))).start();"
        " print('first', end=' ')\n"
        "try: sys.exit(3)\n"
        "finally: process.leave()"
    )

    ended = subprocess.run(
        [sys.executable, "-c", ending], capture_output=True, text=True, check=False
    )

    assert (ended.returncode, ended.stdout, ended.stderr) == (3, "first last\n", "")
