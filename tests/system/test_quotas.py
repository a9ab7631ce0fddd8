"""A tenant at every limit at once is told so, and its neighbour does not notice."""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Self

import pytest

from tests.system.bare import Bare
from tests.system.client import Answer, Api, post, send
from tests.system.pacing import answered, p99
from tests.system.scraping import scrape
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
WARM, EACH = 40, 100  # requests of the neighbour, to begin with and in each measurement
FIRST, SECOND = 8, 2  # clients of its workflows: the first one's would get too much
GREED = 1 / 60  # seconds between two requests of each of the greedy tenant's clients
CROWD = 24  # of its clients, where only the API is asked
TURNS = 2  # of its requests to the API that may be inside at once
TIMES = 10.0  # how much slower the neighbour may be answered at worst
UNFELT = 0.5  # seconds; the figure is told, and a busy machine judged by this alone
INSIDE = "sluice_http_request_seconds_sum"
Want = Callable[[], Answer]
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

    def __init__(self, api: Api, hooks: tuple[str, str], run: str) -> None:
        self.api, self.hooks, self.run = api, hooks, run
        self.told: Counter[tuple[int, str]] = Counter()
        self.seconds = 0.0  # for which it has asked

    @classmethod
    def of(cls, server: Server) -> Self:
        """Become a tenant that has as many workflows as it may."""
        api = tenant(server, "greedy")
        first, second, *_ = (
            api.workflow(f"Number {n}", {"id": "note", **NOTE}) for n in range(5)
        )
        hooks = first["webhook_url"], second["webhook_url"]
        return cls(api, hooks, f"/workflows/{first['id']}/run")

    @classmethod
    def elsewhere(cls, server: Server) -> Self:
        """Ask the same of a server that does not mind."""
        hook = f"{server.url}/hooks/any"
        return cls(Api(server.url, "any"), (hook, hook), "/workflows/any/run")

    def everything(self) -> list[Want]:
        """Give what each of its clients does, again and again."""
        return [
            *[lambda: post(self.hooks[0], {"n": 1})] * FIRST,
            *[lambda: post(self.hooks[1], {"n": 2})] * SECOND,
            lambda: send("POST", self.hooks[1], body=b"x" * 100_001),
            lambda: self._save("One more", 1),
            lambda: self._save("Too long", 11),
            lambda: self.api.ask("POST", self.run, {"input": "x" * 5000, "wait": 20}),
        ]

    def crowd(self) -> list[Want]:
        """Give what clients do of which the API refuses all."""
        *_, one_more, too_long, _ = self.everything()
        return [one_more, too_long] * (CROWD // 2)

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
    def asking(self, wants: list[Want], pause: float) -> Iterator[None]:
        """Have a client for each want ask while the block lasts."""
        over = threading.Event()

        def again(want: Want) -> None:
            while not over.is_set():
                self.note(want())
                over.wait(pause)

        clients = [threading.Thread(target=again, args=(each,)) for each in wants]
        self.seconds = -time.monotonic()
        for each in clients:
            each.start()
        try:
            yield
        finally:
            over.set()
            for each in clients:
                each.join(30)
            self.seconds += time.monotonic()


@dataclass(frozen=True, slots=True)
class Seen:
    """How long the neighbour waited for its answers, seconds, sorted."""

    before: list[float]
    meanwhile: list[float]
    elsewhere: list[float]  # while the greedy asked as much of another server
    inside: float  # requests of the greedy that were answered at a time, on average

    def tell(self, figure: Callable[..., None], greedy: Greedy) -> None:
        both = (self.before, self.elsewhere, self.meanwhile)
        figure(
            "neighbour's p99: alone, beside as many requests to a bare server, beside"
            " the greedy tenant, ms",
            ", ".join(f"{p99(each) * 1000:.1f}" for each in both),
        )
        figure(
            "the same, median, ms",
            ", ".join(f"{median(each) * 1000:.1f}" for each in both),
        )
        figure("greedy requests a second", f"{rate(greedy):.0f}")
        figure(
            "what the greedy tenant was told",
            {f"{s} {c}".strip(): n for (s, c), n in sorted(greedy.told.items())},
        )

    def check(self) -> None:
        """Judge a busy machine by what it does to everybody."""
        most = max(p99(self.before), p99(self.elsewhere))
        assert p99(self.meanwhile) < max(TIMES * most, UNFELT)


def rate(greedy: Greedy) -> float:
    return greedy.told.total() / greedy.seconds


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Server]:
    home = tmp_path / "bare"
    home.mkdir()
    server = Bare(home)
    server.start()
    yield server
    server.close()


def watch(
    server: Server, greedy: Greedy, wants: Callable[[Greedy], list[Want]], bare: Server
) -> Seen:
    """Have a neighbour post, none of whose events may be refused."""
    quiet = tenant(server, "quiet")
    hook = quiet.workflow("Quiet", {"id": "note", **NOTE})["webhook_url"]
    answered(hook, WARM, pause=PACE)
    before = answered(hook, EACH, pause=PACE)
    earlier = scrape(server)[INSIDE]
    with greedy.asking(wants(greedy), GREED):
        meanwhile = answered(hook, EACH, pause=PACE)
    took = scrape(server)[INSIDE] - earlier - sum(meanwhile)
    control = Greedy.elsewhere(bare)
    asked = wants(control)
    with control.asking(asked, len(asked) / rate(greedy)):
        elsewhere = answered(hook, EACH, pause=PACE)
    return Seen(before, meanwhile, elsewhere, took / greedy.seconds)


def test_a_tenant_at_every_limit_at_once_is_told_so_and_slows_nobody(
    start, bare, figure
):
    server = start(**LIMITS)
    greedy = Greedy.of(server)

    seen = watch(server, greedy, Greedy.everything, bare)

    seen.tell(figure, greedy)
    seen.check()
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


def test_a_crowd_that_the_api_refuses_is_inside_two_at_a_time(start, bare, figure):
    server = start(**LIMITS)
    greedy = Greedy.of(server)

    seen = watch(server, greedy, Greedy.crowd, bare)

    seen.tell(figure, greedy)
    seen.check()
    figure(f"requests of {CROWD} clients inside, on average", f"{seen.inside:.2f}")
    assert greedy.told.keys() == {(409, "workflow-limit"), (422, "invalid")}
    assert 0 < seen.inside <= TURNS
