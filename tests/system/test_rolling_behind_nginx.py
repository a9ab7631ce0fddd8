"""Two servers behind one nginx are restarted, and the world does not notice."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest

from tests.deploy.adapting import adapted
from tests.system import nginx, verdict
from tests.system.nginx import NAME, Nginx
from tests.system.scraping import ACCEPTED, scrape
from tests.system.serving import Server
from tests.system.waiting import eventually

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(nginx.NGINX is None, reason="nginx is not installed"),
]

SENDERS = 4
FEW = 30  # events that go through between one restart and the next


class Senders:
    """Threads that post events over https, one after the other, until stopped."""

    def __init__(self, front: Nginx, path: str) -> None:
        self._front, self._path = front, path
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._send) for _ in range(SENDERS)]
        self.accepted: list[str] = []
        self.failures: list[str] = []

    def __enter__(self) -> Self:
        for each in self._threads:
            each.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for each in self._threads:
            each.join(40)

    def await_more(self) -> None:
        """Wait until some more events were taken."""
        goal = len(self.accepted) + FEW
        eventually(lambda: len(self.accepted) >= goal, within=20, what="more events")

    def _send(self) -> None:
        body, kind = json.dumps({"n": 1}).encode(), "Content-Type: application/json"
        while not self._over.is_set():
            try:
                answer = self._front.send("POST", self._path, kind, body=body)
            except OSError as error:
                self.failures.append(repr(error))
                continue
            if answer.status == 202:
                self.accepted.append(answer.json["execution_id"])
            else:
                self.failures.append(f"{answer.status} {answer.body!r}")


def await_events(server: Server) -> None:
    """Wait until nginx sends it events again; a lost server it leaves alone for 2 s."""
    eventually(lambda: scrape(server).get(ACCEPTED), within=20, what="events again")


@pytest.fixture
def pair(start) -> tuple[Server, Server]:
    settings = {
        "SLUICE_PUBLIC_URL": f"https://{NAME}",
        "SLUICE_TRUSTED_HOSTS": f"{NAME},127.0.0.1",
        "SLUICE_PROXY_HOPS": "1",
    }
    first: Server = start(**settings)
    return first, start(SLUICE_DATA_DIR=str(first.home / "data"), **settings)


@pytest.fixture
def front(pair: tuple[Server, Server], tmp_path: Path) -> Iterator[Nginx]:
    text = adapted(tmp_path, *(f"127.0.0.1:{each.port}" for each in pair))
    home = tmp_path / "nginx"
    here = {"/dev/stdout": f"{home}/sluice.log", "/dev/stderr": f"{home}/error.log"}
    with nginx.serving(home, text, here) as one:
        yield one


def test_both_servers_restart_one_after_the_other_and_no_event_is_refused(
    pair: tuple[Server, Server], front: Nginx, figure
):
    api = pair[0].api()
    api.register()
    workflow = api.workflow("Rolling", {"id": "n", "uses": "set", "with": {"value": 1}})
    path = workflow["webhook_url"].removeprefix(f"https://{NAME}")

    with Senders(front, path) as senders:
        for server in pair:
            senders.await_more()
            assert server.stop() == 0
            senders.await_more()
            server.start()
            await_events(server)
        senders.await_more()

    assert senders.failures == []
    executions = api.all_finished(within=20)
    assert verdict.lost(senders.accepted, executions) == []
    assert len(executions) == len(set(senders.accepted)) == len(senders.accepted)
    figure("events through a rolling restart behind nginx", len(senders.accepted))
    figure("of them refused, lost or twice", 0)
