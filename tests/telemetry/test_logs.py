"""Log lines and what they know."""

import io
import json
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, redirect_stdout
from select import PIPE_BUF

import pytest

from app.domain.masking import Mask
from app.telemetry import logs

log = logging.getLogger("app.x")


@pytest.fixture
def lines(capsys):
    root = logging.getLogger()
    level = root.level
    handler = logs.configure(level="INFO", debug_cors=False)
    yield handler
    handler.stop()
    root.removeHandler(handler)
    root.setLevel(level)
    logs.clear()


def printed(capsys):
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_says_what_was_bound_and_forgets_it_after_the_block(lines, capsys):
    with logs.bound(tenant_id="tenant_1", step=None):
        log.info("Inside", extra={"count": 3})
    log.info("Outside")

    inside, outside = printed(capsys)
    assert (inside["tenant_id"], inside["count"]) == ("tenant_1", 3)
    assert "step" not in inside
    assert "tenant_id" not in outside


def test_what_a_line_says_itself_wins_over_what_is_bound(lines, capsys):
    logs.bind(tenant_id="tenant_1")

    log.info("Told", extra={"tenant_id": "tenant_2"})

    assert printed(capsys)[0]["tenant_id"] == "tenant_2"


def test_threads_know_nothing_of_each_other(lines, capsys):
    logs.bind(tenant_id="tenant_1")

    other = threading.Thread(target=log.info, args=("Other",))
    other.start()
    other.join()

    assert "tenant_id" not in printed(capsys)[0]


def test_writes_from_a_thread_of_its_own_and_loses_nothing_at_the_end(lines, capsys):
    lines.start()
    for number in range(100):
        log.info("Line", extra={"number": number})
    lines.stop()

    assert [line["number"] for line in printed(capsys)] == list(range(100))


def test_writes_what_waits_when_logging_is_shut_down(lines, capsys):
    lines.start()
    log.info("Last words")

    lines.close()

    assert [line["message"] for line in printed(capsys)] == ["Last words"]


class Output(io.StringIO):
    """A standard output that takes nothing until it is released."""

    def __init__(self):
        super().__init__()
        self.asked, self.released = threading.Event(), threading.Event()
        self.writes: list[str] = []
        self._changed = threading.Condition()

    def write(self, text):
        self.asked.set()
        assert self.released.wait(30)
        self.writes.append(text)
        return super().write(text)

    def flush(self):
        with self._changed:
            self._changed.notify_all()

    def flushed(self, count):
        """Whether so many lines come through, if it takes a while."""
        with self._changed:
            return self._changed.wait_for(
                lambda: "".join(self.writes).count("\n") == count, timeout=30
            )


class Broken(io.StringIO):
    """A standard output that nobody reads any more."""

    def __init__(self):
        super().__init__()
        self.asked = threading.Event()

    def write(self, text):
        self.asked.set()
        raise BrokenPipeError


@contextmanager
def blocked(lines):
    """An output that is blocked by its first line, and released at the end."""
    output = Output()
    with redirect_stdout(output):
        lines.start()
        log.info("First", extra={"number": -1})
        assert output.asked.wait(30)
        yield output
        output.released.set()
        lines.stop()


def numbers(text):
    return [json.loads(line)["number"] for line in text.splitlines()]


def test_drops_lines_rather_than_wait_for_a_blocked_output(lines):
    with blocked(lines) as output:
        for number in range(logs.WAITING_LINES + 5):
            lines.handle(logging.makeLogRecord({"msg": "x", "number": number}))

    assert lines.dropped == 5
    assert numbers(output.getvalue()) == list(range(-1, logs.WAITING_LINES))


def test_lines_that_wait_are_written_together_as_many_as_a_pipe_takes_whole(lines):
    with blocked(lines) as output:
        for number in range(100):
            log.info("x" * (5000 if number == 50 else 9), extra={"number": number})

    assert numbers("".join(output.writes)) == list(range(-1, 100))
    assert all(text.endswith("\n") for text in output.writes if text)
    assert len(output.writes) < 20
    assert [len(text) > PIPE_BUF for text in output.writes].count(True) == 1


def test_no_line_waits_for_another_one(lines):
    with blocked(lines) as output:
        for number in range(3):
            log.info("Line", extra={"number": number})
        output.released.set()

        assert output.flushed(4)


def test_lines_that_come_while_the_log_is_closed_are_all_written(lines):
    def tell(first):
        for number in range(first, first + 200):
            log.info("Line", extra={"number": number})

    with ThreadPoolExecutor(4) as threads, blocked(lines) as output:
        told = threads.map(tell, range(0, 800, 200))
        output.released.set()
        lines.stop()
        list(told)

    assert sorted(numbers(output.getvalue())) == list(range(-1, 800))


def test_a_line_that_cannot_be_said_or_written_stops_no_other(lines, capsys):
    odd = {"msg": "%d letters", "args": ("some",)}
    lines.start()
    lines.handle(logging.makeLogRecord(odd))
    with logs.hiding(Mask(["s3cret-8f2c"])):
        lines.handle(logging.makeLogRecord(odd))
    broken = Broken()
    with redirect_stdout(broken):
        log.info("Lost")
        assert broken.asked.wait(30)
    log.info("Next")
    lines.stop()

    assert [line["message"] for line in printed(capsys)] == ["Next"]


def test_configuring_again_replaces_the_handler(lines):
    again = logs.configure(level="INFO", debug_cors=True)

    handlers = [h for h in logging.getLogger().handlers if isinstance(h, logs.Lines)]
    assert handlers == [again]
    assert logging.getLogger("flask_cors").level == logging.DEBUG
    logging.getLogger().removeHandler(again)


def test_values_that_are_hidden_are_in_no_line_of_the_block(lines, capsys):
    mask = Mask(["s3cret-8f2c"])
    with logs.hiding(mask):
        log.info("Said %s", "s3cret-8f2c", extra={"fields": {"a": ["s3cret-8f2c"]}})
        mask.add(["t0ken-8f2c"])
        try:
            int("t0ken-8f2c")
        except ValueError:
            log.exception("Broke")
    log.info("s3cret-8f2c")

    said, broke, after = printed(capsys)
    assert said["message"] == "Said [redacted]"
    assert said["fields"] == {"a": ["[redacted]"]}
    assert "'[redacted]'" in broke["exception"]
    assert after["message"] == "s3cret-8f2c"


def test_what_bears_the_name_of_a_secret_is_not_logged(lines, capsys):
    fields = {"Authorization": "s3cret", "user": "miller", "deep": [{"api_key": 7}]}

    log.info("Told", extra={"fields": fields, "password": "s3cret"})

    [line] = printed(capsys)
    assert line["password"] == "[redacted]"
    assert line["fields"] == {
        "Authorization": "[redacted]",
        "user": "miller",
        "deep": [{"api_key": "[redacted]"}],
    }


def test_a_traceback_holds_no_local_variables(lines, capsys):
    def fails(secret):
        raise ValueError(f"{len(secret)} characters do not fit")

    canary = "sings" * 4
    try:
        fails(canary)
    except ValueError:
        log.exception("Failed")

    told = json.dumps(printed(capsys))
    assert "20 characters do not fit" in told
    assert "fails(canary)" in told
    assert canary not in told
