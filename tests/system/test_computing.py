"""Ten executions that compute as hard as they may keep nobody from being answered."""

import time
from statistics import median

import pytest

from tests.system.client import Api, post
from tests.system.serving import Server
from tests.system.waiting import eventually

pytestmark = [pytest.mark.system, pytest.mark.alone]

WORKERS, EVENTS = 10, 40
NUMBERS = {"numbers": list(range(2400))}
COSTLY = "{{ length(trigger.body.numbers[?@ > `5`]) }}"  # most of what one may take
STEPS = 400  # of an execution: minutes, if nobody cancels it


def test_events_are_answered_while_ten_executions_compute_and_these_can_be_cancelled(
    start, figure
):
    server: Server = start()
    api = server.api()
    api.register()
    light = api.workflow("Light", {"id": "n", "uses": "set", "with": {"value": 1}})
    steps = [
        {"id": f"n{n}", "uses": "set", "with": {"value": COSTLY}} for n in range(STEPS)
    ]
    costly = api.workflow("Costly", *steps)
    hook = light["webhook_url"]
    idle = [_seconds(hook) for _ in range(EVENTS)]
    api.all_finished(within=60)

    heavy = [post(costly["webhook_url"], NUMBERS) for _ in range(WORKERS)]
    started = [each.json["execution_id"] for each in heavy]
    eventually(lambda: _busy(api) == WORKERS, within=60, what="all ten have begun")
    took = [_seconds(hook) for _ in range(EVENTS)]
    busy = _busy(api)
    began = time.monotonic()
    asked = [api.ask("POST", f"/executions/{each}/cancel").status for each in started]
    ended = api.all_finished(within=120)
    over = time.monotonic() - began

    assert busy == WORKERS  # they computed all the while
    assert set(asked) == {202}
    status = {each["id"]: each["status"] for each in ended}
    assert [status.pop(each) for each in started] == ["cancelled"] * WORKERS
    assert list(status.values()) == ["success"] * 2 * EVENTS
    figure("answer alone, median and slowest of 40, ms", _told(idle))
    figure("answer while ten compute, median and slowest of 40, ms", _told(took))
    figure("all ten cancelled, and 40 others run, after, s", f"{over:.1f}")


def _busy(api: Api) -> int:
    busy: int = api.call("GET", "/stats")["pool"]["busy"]
    return busy


def _seconds(hook: str) -> float:
    """Post an event, and return how long its answer took."""
    began = time.monotonic()
    assert post(hook, {}).status == 202
    return time.monotonic() - began


def _told(seconds: list[float]) -> str:
    return f"{median(seconds) * 1000:.0f} {max(seconds) * 1000:.0f}"
