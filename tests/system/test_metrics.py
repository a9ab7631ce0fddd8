"""What Prometheus is told by a server of several processes is one truth."""

import os
import shutil
import signal
import subprocess
import tempfile
from itertools import pairwise
from pathlib import Path

import pytest

from app.server.counts import PREFIX
from tests.system.client import post, send
from tests.system.scraping import ACCEPTED, SUCCESS, scrape
from tests.system.serving import Server
from tests.system.steady import Kind, Steady
from tests.system.waiting import eventually

pytestmark = pytest.mark.system

QUIET = {"id": "note", "uses": "set", "with": {"value": 1}}
THREADS = 10  # of one process
ONLY_GROWS = ("_total", "_count", "_sum", "_bucket")


def fallen(before: dict[str, float], after: dict[str, float]) -> list[str]:
    """What has become less and may only grow."""
    return [
        name
        for name, value in before.items()
        if name.partition("{")[0].endswith(ONLY_GROWS)
        and after.get(name, 0.0) < value - 1e-6
    ]


def folders() -> set[Path]:
    """Where servers count now."""
    parents = {Path("/dev/shm"), Path(tempfile.gettempdir())}  # noqa: S108
    return {each for parent in parents for each in parent.glob(f"{PREFIX}*")}


def test_two_processes_tell_one_truth_also_over_reloads_and_a_kill(start):
    server: Server = start(WEB_CONCURRENCY="2", SLUICE_POOL_QUEUE="500")
    api = server.api()
    api.register()
    hook = api.workflow("Quiet", QUIET)["webhook_url"]
    load = Steady()
    seen = [load.add(4, Kind(hook=hook, value={}, keeps=False, pause=0.01))]
    scrapes = [scrape(server)]

    def go_on() -> None:
        """Ask either process, and both."""
        scrapes.extend(scrape(server) for _ in range(20))

    with load:
        go_on()
        for _ in range(2):
            drained = len(server.events("Drained"))
            server.send(signal.SIGHUP)
            while len(server.events("Drained")) < drained + 2:
                go_on()
        newest = server.workers()[-1]  # an older one may be about to end
        os.kill(newest, signal.SIGKILL)
        eventually(
            lambda: len(server.events("Engine started")) == 2 + 2 + 2 + 1,
            within=40,
            what="another one starts",
        )
        eventually(
            lambda: scrape(server)["sluice_pool_workers"] == 20,
            within=20,
            what="two processes tell of themselves again",
        )
        go_on()
    posted = sum(len(each.answers) for each in seen)
    # The killed process may have recorded an execution a thread without counting it.
    eventually(
        lambda: scrape(server)[SUCCESS] >= posted - THREADS,
        within=60,
        what="all have run",
    )
    last = scrape(server)

    falls = [fallen(*pair) for pair in pairwise(scrapes)]
    assert [each for each in falls if each] == []
    assert posted <= last[ACCEPTED] <= posted + len(load.failures)
    assert last["sluice_pool_workers"] == 20
    assert last["sluice_processes"] == 2
    assert last["sluice_pool_capacity"] == 2 * 510


def test_each_process_is_asked_and_all_answer_the_same(start):
    server: Server = start(WEB_CONCURRENCY="2")
    api = server.api()
    api.register()
    hook = api.workflow("Quiet", QUIET)["webhook_url"]
    accepted = [post(hook, {}).status for _ in range(40)]
    eventually(lambda: scrape(server)[SUCCESS] == 40, within=10, what="all have run")

    answers = [scrape(server) for _ in range(30)]

    assert accepted == [202] * 40
    assert {each[ACCEPTED] for each in answers} == {40}
    assert {each["sluice_queue_seconds_count"] for each in answers} == {40}
    assert {each["sluice_pool_workers"] for each in answers} == {20}


@pytest.mark.alone  # other servers would have folders, too
def test_an_upgrade_goes_on_counting_and_the_end_leaves_nothing(start):
    before = folders()
    server: Server = start()
    api = server.api()
    api.register()
    hook = api.workflow("Quiet", QUIET)["webhook_url"]
    assert post(hook, {}).status == 202
    started = len(server.events("Engine started"))
    [mine] = folders() - before
    assert mine.stat().st_mode & 0o777 == 0o700

    server.send(signal.SIGUSR2)
    eventually(
        lambda: len(server.events("Engine started")) > started,
        within=20,
        what="the new master serves",
    )
    said = [each["message"] for each in server.lines()]
    new = [each for each in said if each.startswith("Listening at: ")][-1]
    server.send(signal.SIGTERM)
    assert server.wait() == 0
    assert scrape(server)[ACCEPTED] == 1
    assert mine.exists()
    os.kill(int(new.rpartition("(")[2].rstrip(")")), signal.SIGTERM)

    eventually(lambda: not mine.exists(), within=30, what="the folder is removed")


def test_promtool_finds_nothing_to_say_about_the_metrics(start):
    promtool = shutil.which("promtool")
    assert promtool, "promtool is missing: apt install prometheus"
    server: Server = start()
    api = server.api()
    api.register()
    workflow = api.workflow("Quiet", QUIET)
    api.finished(post(workflow["webhook_url"], {}).json["execution_id"])
    text = send("GET", f"{server.url}/metrics").body

    said = subprocess.run(
        [promtool, "check", "metrics"], input=text, capture_output=True, check=False
    )

    assert (said.stdout + said.stderr).decode() == ""
    assert said.returncode == 0
