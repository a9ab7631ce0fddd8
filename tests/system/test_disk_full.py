"""P1: while nothing can be stored nothing is promised, and what was is kept."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.system import verdict
from tests.system.client import Api, post, send
from tests.system.serving import Server, step
from tests.system.sink import Sink
from tests.system.waiting import eventually

pytestmark = pytest.mark.system

ROOM = 200_000  # bytes that every file may still grow by
LARGE = "x" * 50_000
RUNNING, QUEUED, REFUSED = 10, 5, 20


@contextmanager
def full_disk(process: int, *files: Path) -> Iterator[None]:
    """Let no file of a process grow much further than the largest of these.

    Writes beyond fail like those to a full disk, but for the error's number.
    """
    soft, hard = resource.prlimit(process, resource.RLIMIT_FSIZE)
    size = max(each.stat().st_size for each in files) + ROOM
    resource.prlimit(process, resource.RLIMIT_FSIZE, (size, hard))
    yield
    resource.prlimit(process, resource.RLIMIT_FSIZE, (soft, hard))


def is_ready(server: Server) -> bool:
    return send("GET", f"{server.url}/health/ready").status == 200


def fill(hook: str) -> list[str]:
    """Post large events until one is refused; return the accepted executions."""
    accepted: list[str] = []
    for _ in range(100):
        answer = post(hook, {"text": LARGE})
        if answer.status != 202:
            assert answer.status == 503
            return accepted
        accepted.append(answer.json["execution_id"])
    raise AssertionError("the disk never got full")


def test_a_full_disk_refuses_events_and_loses_none_that_were_accepted(
    start, sink: Sink, figure
):
    server: Server = start()
    api: Api = server.api()
    api.register()
    hold = api.workflow(
        "Hold",
        step("hold", f"{sink.url}/hold?held=1"),
        step("after", f"{sink.url}/after"),
    )
    hook = hold["webhook_url"]
    [worker] = server.workers()
    answers = [post(hook, {"n": n}) for n in range(RUNNING + QUEUED)]
    accepted = [each.json["execution_id"] for each in answers]
    sink.wait_for(RUNNING, within=10)
    data = server.home / "data"

    with full_disk(worker, server.out, *data.glob("sluice.db*")):
        accepted += fill(hook)
        refused = [post(hook, {"text": LARGE}) for _ in range(REFUSED)]
        eventually(lambda: not is_ready(server), within=5, what="it is not ready")
        assert send("GET", f"{server.url}/health/live").status == 200
        sink.release()
        told = "Outcome not stored yet; trying again"
        eventually(lambda: server.events(told), within=10, what="an end is not stored")
    eventually(lambda: is_ready(server), within=10, what="it is ready again")
    accepted.append(post(hook, {"text": LARGE}).json["execution_id"])
    executions = api.all_finished(within=30)

    assert {each.status for each in refused} == {503}
    assert all(int(each.headers["retry-after"]) >= 1 for each in refused)
    assert verdict.lost(accepted, executions) == []
    assert {each["id"] for each in executions} == set(accepted)
    assert verdict.unserved(accepted, sink.arrivals(), steps=("hold", "after")) == []
    assert verdict.overtaken(sink.arrivals(), order=("hold", "after")) == []
    assert verdict.unbalanced(api.ledger()) == []
    assert "Traceback" not in server.written()
    figure("full disk: refused with 503, accepted before and lost", f"{REFUSED}, 0")
