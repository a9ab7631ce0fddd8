import json
import logging
import math
import sys
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.server.jsonlog import LONGEST, JsonLogFormatter


def line(message="Workflow executed", *args, level=logging.INFO, error=None, **extra):
    record = logging.makeLogRecord(
        {
            "name": "app.engine",
            "levelno": level,
            "levelname": logging.getLevelName(level),
            "msg": message,
            "args": args,
            "created": 1767875696.789,
            "exc_info": error,
            **extra,
        }
    )
    return JsonLogFormatter().format(record)


def caught(error):
    try:
        raise error
    except type(error):
        return sys.exc_info()


def test_a_record_becomes_the_line_that_dashboards_count():
    text = line(status="success", duration_ms=450)

    assert json.loads(text) == {
        "timestamp": "2026-01-08T12:34:56.789Z",
        "level": "info",
        "message": "Workflow executed",
        "logger": "app.engine",
        "service": "sluice",
        "status": "success",
        "duration_ms": 450,
    }


def test_arguments_are_filled_into_the_message():
    assert json.loads(line("Booting worker with pid: %s", 7))["message"].endswith(" 7")


@pytest.mark.parametrize("core", ["timestamp", "level", "logger", "service"])
def test_an_extra_never_replaces_a_core_field(core):
    assert json.loads(line(**{core: "forged"}))[core] != "forged"


@pytest.mark.parametrize("text", ["a\nb", "a\r\nb", "a\u2028b", "a\x85b", "a\x00b"])
def test_no_value_breaks_a_line(text):
    written = line(text, note=text)

    assert len(written.splitlines()) == 1
    assert written.isascii()
    assert json.loads(written)["note"] == text


def test_a_traceback_goes_into_one_bounded_field_and_keeps_its_end():
    written = line(level=logging.ERROR, error=caught(ValueError("x" * 20_000 + "end")))

    fields = json.loads(written)
    assert fields["level"] == "error"
    assert fields["exception"].endswith("xend")
    assert len(fields["exception"]) == LONGEST
    assert "exc_info" not in fields


def test_a_message_of_any_length_is_bounded():
    assert len(json.loads(line("y" * 100_000))["message"]) == LONGEST


class Mute:
    def __str__(self):
        raise RuntimeError

    __repr__ = __str__


CYCLE: list[object] = []
CYCLE.append(CYCLE)


@pytest.mark.parametrize(
    "value",
    [object(), {(1, 2): 3}, float("nan"), {1, 2}, b"\xff", 10**9999, CYCLE, Mute()],
    ids=lambda value: type(value).__name__,
)
def test_what_json_cannot_say_is_written_as_text(value):
    fields = json.loads(line(odd=value, status="success"))

    assert isinstance(fields["odd"], str | dict)
    assert fields["status"] == "success"


def test_a_dictionary_as_message_is_text_and_cannot_forge_fields():
    fields = json.loads(line({"level": "forged"}))

    assert fields["level"] == "info"
    assert "forged" in fields["message"]


@settings(deadline=None)
@given(st.floats(0, 7e9))
def test_a_timestamp_is_the_moment_cut_off_at_milliseconds(created):
    said = json.loads(line(created=created))["timestamp"]

    told = datetime.fromtimestamp(created, UTC)
    assert said == told.isoformat(timespec="milliseconds").replace("+00:00", "Z")


SIMPLE = st.text() | st.integers() | st.booleans() | st.none()


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), SIMPLE | st.floats()))
def test_what_is_written_fast_is_what_json_would_have_written(extras):
    written = line(**extras)

    read = json.loads(written)
    assert json.dumps(read, separators=(",", ":")) == written
    assert {name: read[name] for name in extras} == {
        name: value if json_says(value) else str(value)
        for name, value in extras.items()
    }


def json_says(value):
    return not isinstance(value, float) or math.isfinite(value)
