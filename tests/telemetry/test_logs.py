"""Log lines and what they know."""

import json
import logging
import threading

import pytest

from app.domain.masking import Mask
from app.telemetry import logs


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
        logging.getLogger("app.x").info("Inside", extra={"count": 3})
    logging.getLogger("app.x").info("Outside")

    inside, outside = printed(capsys)
    assert (inside["tenant_id"], inside["count"]) == ("tenant_1", 3)
    assert "step" not in inside
    assert "tenant_id" not in outside


def test_what_a_line_says_itself_wins_over_what_is_bound(lines, capsys):
    logs.bind(tenant_id="tenant_1")

    logging.getLogger("app.x").info("Told", extra={"tenant_id": "tenant_2"})

    assert printed(capsys)[0]["tenant_id"] == "tenant_2"


def test_threads_know_nothing_of_each_other(lines, capsys):
    logs.bind(tenant_id="tenant_1")

    other = threading.Thread(target=logging.getLogger("app.x").info, args=("Other",))
    other.start()
    other.join()

    assert "tenant_id" not in printed(capsys)[0]


def test_writes_from_a_thread_of_its_own_and_loses_nothing_at_the_end(lines, capsys):
    lines.start()
    for number in range(100):
        logging.getLogger("app.x").info("Line", extra={"number": number})
    lines.stop()

    assert [line["number"] for line in printed(capsys)] == list(range(100))


def test_writes_what_waits_when_logging_is_shut_down(lines, capsys):
    lines.start()
    logging.getLogger("app.x").info("Last words")

    lines.close()

    assert [line["message"] for line in printed(capsys)] == ["Last words"]


def test_drops_lines_rather_than_wait_for_a_blocked_output(lines, capsys):
    lines.start()
    listener, lines._listener = lines._listener, None
    listener.stop()
    lines._listener = listener  # a listener that takes nothing
    for _ in range(logs.WAITING_LINES + 5):
        lines.enqueue(logging.makeLogRecord({"msg": "x"}))

    assert lines.dropped == 5
    lines._listener = None


def test_configuring_again_replaces_the_handler(lines):
    again = logs.configure(level="INFO", debug_cors=True)

    handlers = [h for h in logging.getLogger().handlers if isinstance(h, logs.Lines)]
    assert handlers == [again]
    assert logging.getLogger("flask_cors").level == logging.DEBUG
    logging.getLogger().removeHandler(again)


def test_values_that_are_hidden_are_in_no_line_of_the_block(lines, capsys):
    mask = Mask(["s3cret-8f2c"])
    log = logging.getLogger("app.x")
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

    logging.getLogger("app.x").info(
        "Told", extra={"fields": fields, "password": "s3cret"}
    )

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
        logging.getLogger("app.x").exception("Failed")

    told = json.dumps(printed(capsys))
    assert "20 characters do not fit" in told
    assert "fails(canary)" in told
    assert canary not in told
