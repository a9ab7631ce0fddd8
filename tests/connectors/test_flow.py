import json
import logging
import threading
import time

import pytest
from pydantic import ValidationError

from app.connectors.flow import Delay, Fail, Log, SetValue, Stop
from app.domain.errors import Cancelled, DeadlineExceeded, StepFailed
from app.domain.execution import Status
from app.domain.signals import Ended, Pause
from app.server.jsonlog import JsonLogFormatter


@pytest.mark.parametrize("value", [None, 0, "", [1, {"a": None}], {"x": 1.5}])
def test_set_gives_its_value(call, value):
    assert SetValue.model_validate({"value": value}).run(call) == value


def test_set_needs_a_value():
    with pytest.raises(ValidationError):
        SetValue.model_validate({})


@pytest.mark.parametrize("seconds", [0, 0.0, 0.01])
def test_a_short_delay_stays_in_the_thread(call, seconds):
    assert Delay.model_validate({"seconds": seconds}).run(call) is None


@pytest.mark.parametrize("seconds", [1.001, 2, 86_400, 366 * 86_400])
def test_a_longer_delay_leaves_the_thread(call, seconds):
    with pytest.raises(Pause) as paused:
        Delay.model_validate({"seconds": seconds}).run(call)

    assert paused.value.seconds == seconds


def test_a_delay_ends_at_once_when_cancelled(call):
    threading.Timer(0.02, call.context.cancel).start()
    began = time.monotonic()

    with pytest.raises(Cancelled):
        Delay.model_validate({"seconds": 1}).run(call)

    assert time.monotonic() - began < 0.9


def test_a_delay_never_outlives_the_deadline(call):
    late = call.__class__(
        context=call.context.within(0.01), http=call.http, idempotency_key="k"
    )

    with pytest.raises(DeadlineExceeded):
        Delay.model_validate({"seconds": 1}).run(late)


@pytest.mark.parametrize(
    "seconds",
    [
        -0.001,
        -1,
        True,
        "5",
        None,
        float("inf"),
        float("nan"),
        10**400,
        366 * 86_400 + 1,
    ],
)
def test_a_delay_that_is_no_length_of_time_is_refused(seconds):
    with pytest.raises(ValidationError):
        Delay.model_validate({"seconds": seconds})


def test_fail_fails_for_good_with_the_authors_words(call):
    with pytest.raises(StepFailed, match="no stock") as failed:
        Fail.model_validate({"message": "no stock"}).run(call)

    assert (failed.value.code, failed.value.retryable) == ("fail", False)


@pytest.mark.parametrize(
    ("settings", "status", "message"),
    [
        ({}, Status.SUCCESS, ""),
        ({"status": "failed", "message": "enough"}, Status.FAILED, "enough"),
        ({"status": "cancelled"}, Status.CANCELLED, ""),
    ],
)
def test_stop_ends_the_execution_as_its_author_says(call, settings, status, message):
    with pytest.raises(Ended) as ended:
        Stop.model_validate(settings).run(call)

    assert ended.value.status is status
    assert str(ended.value) == message


@pytest.mark.parametrize("status", ["running", "SUCCESS", "", None, 1])
def test_stop_takes_no_other_status(status):
    with pytest.raises(ValidationError):
        Stop.model_validate({"status": status})


def test_log_writes_one_line_whose_own_fields_cannot_be_overwritten(call, caplog):
    caplog.set_level(logging.INFO)
    fields = {"level": "error", "message": "forged", "execution_id": "x", "args": [1]}

    assert Log.model_validate({"message": "hi\n", "fields": fields}).run(call) is None

    (record,) = caplog.records
    line = json.loads(JsonLogFormatter().format(record))
    assert line["level"] == "info"
    assert line["message"] == "Step logged"
    assert record.text == "hi\n"
    assert record.fields == fields


def test_log_is_bounded_in_size(call, caplog):
    caplog.set_level(logging.INFO)

    Log.model_validate({"message": "ü" * 9000, "fields": {"a": "x" * 5000}}).run(call)
    Log.model_validate({"message": "", "fields": {"a": "x" * 4000}}).run(call)

    large, small = caplog.records
    assert len(large.text.encode()) == 4096
    assert large.fields == {"truncated": True, "names": 1}
    assert len(small.fields["a"]) == 4000


@pytest.mark.parametrize("kind", [SetValue, Fail, Stop, Log])
def test_steps_that_steer_touch_nothing_outside(kind):
    assert not kind.has_effect


def test_time_that_passes_is_an_effect_so_that_what_came_before_is_stored():
    assert Delay.has_effect
