"""P5 on several machines: every process is replaced under load, and nobody notices."""

import http.client
import itertools
import threading
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import pytest

from tests.services.postgres import Postgres
from tests.services.redis import Redis
from tests.system import verdict
from tests.system.client import post
from tests.system.fleet import at, fleet
from tests.system.serving import step
from tests.system.sink import Sink
from tests.system.waiting import eventually

pytestmark = [pytest.mark.system, pytest.mark.alone]  # else the load is more

CLIENTS = 4
ROOM = "2000"  # executions that may wait: nobody is refused because one worker is away
PAUSE = 0.02  # seconds between an answer and the next request of a client


class Balanced:
    """Clients behind a balancer: who is refused a connection asks the next server.

    Nothing else is tried again, for then the event might come twice.
    """

    def __init__(self, hooks: Sequence[str]) -> None:
        self._hooks = itertools.cycle(hooks)
        self._lock = threading.Lock()
        self._over = threading.Event()
        self.accepted: list[str] = []
        self.failures: list[str] = []
        self._threads = [threading.Thread(target=self._run) for _ in range(CLIENTS)]

    def __enter__(self) -> Self:
        for each in self._threads:
            each.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for each in self._threads:
            each.join(30)

    def wait_for(self, count: int, *, within: float) -> None:
        """Wait until so many more were accepted."""
        enough = len(self.accepted) + count
        eventually(lambda: len(self.accepted) >= enough, within=within, what="load")

    def _run(self) -> None:
        while not self._over.wait(PAUSE):
            try:
                self._post()
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(repr(error))

    def _post(self) -> None:
        with self._lock:
            first, second = next(self._hooks), next(self._hooks)
            next(self._hooks)  # so that the next one begins with the other
        try:
            answer = post(first, {})
        except ConnectionRefusedError:
            answer = post(second, {})
        if answer.status == 202:
            self.accepted.append(answer.json["execution_id"])
        else:
            self.failures.append(f"{answer.status} {answer.body!r}")


def test_every_process_is_replaced_under_load_and_no_request_fails(
    postgres: Postgres, redis: Redis, sink: Sink, tmp_path: Path, figure
):
    with fleet(
        tmp_path / "rolling", postgres, redis, SLUICE_POOL_QUEUE=ROOM
    ) as machines:
        for start in (machines.web, machines.web, machines.worker, machines.worker):
            start()
        api = machines.webs[0].api()
        api.register()
        tell = api.workflow("Tell", step("tell", f"{sink.url}/tell?seconds=0.05"))
        load = Balanced([at(each, tell) for each in machines.webs])

        with load:
            codes = []
            for each in machines.everybody:
                load.wait_for(20, within=30)
                codes.append(each.stop())
                each.start(within=60)
        executions = api.all_finished(within=60)
        books = api.ledger()

    assert codes == [0, 0, 0, 0]
    assert load.failures == []
    assert verdict.lost(load.accepted, executions) == []
    keys = Counter(each.key for each in sink.arrivals())
    assert keys == dict.fromkeys((f"{each}:tell" for each in load.accepted), 1)
    assert verdict.unbalanced(books) == []
    figure("two servers and two workers replaced: events accepted", len(load.accepted))
    figure("requests that failed, events lost, carried out twice", "0, 0, 0")
