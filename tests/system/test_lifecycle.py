"""P5 in its simplest form, and how fast a start is."""

import time
from collections import Counter

import pytest

from tests.system.client import post
from tests.system.serving import Server, step
from tests.system.sink import Sink

pytestmark = pytest.mark.system


def test_sigterm_finishes_what_runs_keeps_what_waits_and_exits_with_0(
    start, sink: Sink, figure
):
    server: Server = start()
    api = server.api()
    api.register()
    workflow = api.workflow("Slow", step("slow", f"{sink.url}/slow?seconds=2"))
    for n in range(30):
        assert post(workflow["webhook_url"], {"n": n}).status == 202
    sink.wait_for(10, within=10)

    began = time.monotonic()
    code = server.stop()
    took = time.monotonic() - began

    assert code == 0
    assert len(sink.arrivals()) < 30
    server.start()
    executions = api.all_finished(within=30)
    assert Counter(each["status"] for each in executions) == {"success": 30}
    assert set(Counter(each.key for each in sink.arrivals()).values()) == {1}
    figure("stop with 10 executions of 2 s running and 20 queued, s", f"{took:.1f}")


def test_a_server_that_was_asked_to_stop_says_no_traceback_and_frees_its_port(start):
    server: Server = start()

    assert server.stop() == 0
    server.start()

    assert server.stop() == 0
    assert "Traceback" not in server.written()


def test_a_start_answers_within_seconds(start, figure):
    server: Server = start()
    server.stop()

    again = server.start()

    assert again < 10
    figure("from process start to the first ready answer, s (goal: 2)", f"{again:.2f}")
