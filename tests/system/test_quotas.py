"""A tenant at every limit at once is told so, and its neighbour does not notice."""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.system.client import Answer, Api, post, send
from tests.system.pacing import answered, p99
from tests.system.serving import Server

pytestmark = [pytest.mark.system, pytest.mark.alone]

LIMITS = {
    "SLUICE_SIGNUP": "open",
    "SLUICE_WORKFLOW_RATE": "10",
    "SLUICE_TENANT_RATE": "14",
    "SLUICE_MAX_WORKFLOWS": "5",
    "SLUICE_MAX_STEPS": "10",
    "SLUICE_MAX_BODY": "100000",
    "SLUICE_MAX_OUTPUT": "5000",
}
PACE = 1 / 8  # seconds between two requests of the neighbour: below its rate
EACH = 100  # requests of the neighbour, before and meanwhile
FIRST, SECOND = 8, 2  # clients of its workflows: the first one's would get too much
GREED = 1 / 60  # seconds between two requests of each of the greedy tenant's clients
TIMES = 10.0  # how much slower the neighbour may be answered at worst
UNFELT = 0.5  # seconds; the figure is told, and a busy machine judged by this alone
NOTE = {"uses": "set", "with": {"value": "{{ trigger.body }}"}}


def tenant(server: Server, name: str) -> Api:
    api = server.api()
    account = {
        "email": f"{name}@example.com",
        "password": "a-password-that-no-log-may-show-71",
        "tenant": name,
    }
    api.key = api.call("POST", "/auth/register", account)["api_key"]
    return api


class Greedy:
    """A tenant who asks for more of everything, as fast as the pace allows."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.told: Counter[tuple[int, str]] = Counter()
        first = api.workflow("First", {"id": "note", **NOTE})
        second = api.workflow("Second", {"id": "note", **NOTE})
        for n in range(3):
            api.workflow(f"More {n}", {"id": "note", **NOTE})
        self.hooks = first["webhook_url"], second["webhook_url"]
        self.run = f"/workflows/{first['id']}/run"
        self.executions: list[str] = []

    def wants(self) -> list[Callable[[], Answer]]:
        """Give what each of its clients does, again and again."""
        return [
            *[lambda: post(self.hooks[0], {"n": 1})] * FIRST,
            *[lambda: post(self.hooks[1], {"n": 2})] * SECOND,
            lambda: send("POST", self.hooks[1], body=b"x" * 100_001),
            lambda: self._save("One more", 1),
            lambda: self._save("Too long", 11),
            lambda: self.api.ask("POST", self.run, {"input": "x" * 5000, "wait": 20}),
        ]

    def note(self, answer: Answer) -> None:
        """Remember what it was told, by code."""
        document = json.loads(answer.body)
        code = str(document.get("type", "")).rpartition("/")[2]
        error = document.get("error")
        self.told[answer.status, code or (error["code"] if error else "")] += 1
        if answer.status in (429, 503):
            assert int(answer.headers["retry-after"]) >= 1

    def _save(self, name: str, steps: int) -> Answer:
        listed = [{"id": f"s{n}", **NOTE} for n in range(steps)]
        definition = {"trigger": {"type": "webhook"}, "steps": listed}
        made = {"name": name, "definition": definition}
        return self.api.ask("POST", "/workflows", made)

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Have all of its clients ask while the block lasts."""
        over = threading.Event()

        def again(want: Callable[[], Answer]) -> None:
            while not over.is_set():
                self.note(want())
                over.wait(GREED)

        clients = [
            threading.Thread(target=again, args=(each,)) for each in self.wants()
        ]
        for each in clients:
            each.start()
        try:
            yield
        finally:
            over.set()
            for each in clients:
                each.join(30)


def test_a_tenant_at_every_limit_at_once_is_told_so_and_slows_nobody(start, figure):
    server = start(**LIMITS)
    quiet = tenant(server, "quiet")
    hook = quiet.workflow("Quiet", {"id": "note", **NOTE})["webhook_url"]
    greedy = Greedy(tenant(server, "greedy"))
    answered(hook, EACH, pause=PACE)  # warm

    before = p99(answered(hook, EACH, pause=PACE))
    with greedy.asking():
        meanwhile = p99(answered(hook, EACH, pause=PACE))

    figure(
        "neighbour's p99 before and meanwhile, ms",
        f"{before * 1000:.1f}, {meanwhile * 1000:.1f}",
    )
    figure("ratio", f"{meanwhile / before:.2f}")
    figure(
        "what the greedy tenant was told",
        {f"{s} {c}".strip(): n for (s, c), n in sorted(greedy.told.items())},
    )
    told = greedy.told.keys()
    assert {
        (429, "workflow-rate"),
        (429, "tenant-rate"),
        (413, "too-large"),
        (409, "workflow-limit"),
        (422, "invalid"),
        (200, "too-large"),
    } <= told
    assert not any(status >= 500 for status, _ in told)
    assert meanwhile < max(TIMES * before, UNFELT)
    time.sleep(1.5)  # refusals are written once a second
    ledger = greedy.api.ledger()
    refused = sum(n for (status, _), n in greedy.told.items() if status == 429)
    assert ledger["shed"] == refused
    assert ledger["balanced"]
    shed = server.events("Webhook shed")
    assert sum(each["count"] for each in shed) == refused
    assert {code for each in shed for code in each["codes"]} == {
        "workflow-rate",
        "tenant-rate",
    }
