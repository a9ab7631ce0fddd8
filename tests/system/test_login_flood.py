"""A flood of logins takes neither the machine from the events nor its memory."""

import http.client
import itertools
import json
import os
import threading
import time
from collections import Counter
from ipaddress import IPv4Address
from pathlib import Path
from statistics import median
from typing import Any, Self
from urllib.parse import urlsplit

import pytest

from tests.system import usage
from tests.system.client import PASSWORD, Api, send
from tests.system.pacing import answered, p99
from tests.system.serving import Server

pytestmark = [pytest.mark.system, pytest.mark.alone]

ATTACKERS = 24  # connections that try passwords all the time
EVENTS = 600  # of each measurement
PAUSE = 0.01  # seconds between two events
MEMORY = 19  # MiB of one hash
AT_ONCE = 2  # hashes that docs/security.md promises
SLACK = 60  # MiB that the process may grow by for other reasons; 24 hashes take 456
ROUNDS = 5  # of eight refused logins: what the limit for everybody lets through
NOISE = 0.25  # of a refusal's time, by which two kinds of it may differ
ADDRESSES = itertools.count()
BEARABLE = 0.5  # seconds that the slowest events may take on a machine full of others
BURST, RATE = 50, 20  # sign-ins that come past the gate at once, and each second
TOLD_AFTER = 0.1  # seconds, a refusal of the gate
NICE = 16  # the place of the nice value in /proc/<pid>/stat, after the name


class Flood:
    """Clients from as many addresses as they like, at accounts of all kinds."""

    def __init__(self, url: str, known: str) -> None:
        self._parts = urlsplit(url)
        self._known = known
        self._numbers = itertools.count()
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._try) for _ in range(ATTACKERS)]
        self._lock = threading.Lock()
        self.statuses: Counter[int] = Counter()
        self.seconds = 0.0

    def __enter__(self) -> Self:
        self.seconds = -time.monotonic()
        for each in self._threads:
            each.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for each in self._threads:
            each.join(30)
        self.seconds += time.monotonic()

    def _try(self) -> None:
        host, port = self._parts.hostname, self._parts.port
        assert host
        connection = http.client.HTTPConnection(host, port, timeout=30)
        while not self._over.is_set():
            number = next(self._numbers)
            email = self._known if number % 2 else f"nobody{number}@example.com"
            body = json.dumps({"email": email, "password": "a wrong password"})
            headers = {
                "Content-Type": "application/json",
                "X-Forwarded-For": str(IPv4Address(0x0A00_0000 + number)),
            }
            connection.request("POST", "/api/v1/auth/login", body, headers)
            reply = connection.getresponse()
            reply.read()
            with self._lock:
                self.statuses[reply.status] += 1
        connection.close()


def peak(pid: int) -> float:
    """The most memory that a process has ever held, MiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    fields: dict[str, Any] = dict(
        line.split(":", 1) for line in status.splitlines() if ":" in line
    )
    return int(fields["VmHWM"].split()[0]) / 1024


def hashing(pid: int) -> int:
    """How many threads of a process give way to all others, as those that hash do."""
    stats = [each.read_text() for each in Path(f"/proc/{pid}/task").glob("*/stat")]
    here = os.getpriority(os.PRIO_PROCESS, pid)
    return sum(int(each.rpartition(")")[2].split()[NICE]) > here for each in stats)


def test_a_flood_of_logins_delays_no_event_and_hashes_two_at_once(start, figure):
    server: Server = start(SLUICE_PROXY_HOPS="1", SLUICE_POOL_QUEUE="1000")
    api: Api = server.api()
    known = api.register()["user"]["email"]
    note = {"id": "note", "uses": "set", "with": {"value": 1}}
    hook = api.workflow("Quiet", note)["webhook_url"]
    [worker] = server.workers()
    answered(hook, EVENTS, pause=PAUSE)  # warm
    quiet = p99(answered(hook, EVENTS, pause=PAUSE))
    before, resident = peak(worker), usage.now(worker).memory

    with Flood(server.url, known) as flood:
        busy = p99(answered(hook, EVENTS, pause=PAUSE))

    grown = peak(worker) - before
    kept = (usage.now(worker).memory - resident) / 1024
    tries, hashed = flood.statuses.total(), flood.statuses[401]
    assert set(flood.statuses) <= {401, 429, 503}
    assert hashed >= 20  # the flood has reached the hashes
    assert hashing(worker) == AT_ONCE
    assert grown < AT_ONCE * MEMORY + SLACK
    assert kept < AT_ONCE * MEMORY
    server.stop()  # which writes what is left to say
    lines = server.events("Sign-in refused")
    refused = sum(each["count"] for each in lines)
    assert refused <= tries - hashed
    inside = tries - refused
    assert inside <= BURST + RATE * (flood.seconds + 1)  # the rest was held off
    assert len(lines) <= 2 * (flood.seconds + 2)  # two for a code in a second, at most
    most_have_waited = 2 * ATTACKERS * (flood.seconds / TOLD_AFTER + 1)
    assert refused <= most_have_waited
    assert busy < max(BEARABLE, 5 * quiet)
    both = f"{quiet * 1000:.1f}, {busy * 1000:.1f}"
    figure("logins tried, past the gate, hashed", f"{tries}, {inside}, {hashed}")
    figure("seconds of flood", f"{flood.seconds:.0f}")
    figure("answers", json.dumps(dict(sorted(flood.statuses.items()))))
    figure("events, p99 before and meanwhile, ms", both)
    figure(f"more memory at its peak, MiB (a hash takes {MEMORY})", f"{grown:.0f}")
    figure("more memory afterwards, MiB", f"{kept:.0f}")


def test_an_unknown_address_takes_as_long_as_a_known_one(start, figure):
    server: Server = start(SLUICE_PROXY_HOPS="1")
    known = server.api().register()["user"]["email"]
    took: dict[str, list[float]] = {"known": [], "unknown": []}

    for round_ in range(ROUNDS):
        for number in range(4):  # and the fifth, which is right, forgives them
            took["known"].append(attempt(server.url, known, "a wrong password"))
            nobody = f"nobody{round_}-{number}@example.com"
            took["unknown"].append(attempt(server.url, nobody, "a wrong password"))
        attempt(server.url, known, PASSWORD)

    known_ms, unknown_ms = (median(each) * 1000 for each in took.values())
    assert abs(known_ms - unknown_ms) < NOISE * known_ms
    told = f"{known_ms:.1f}, {unknown_ms:.1f}"
    figure("refused logins: known address, unknown address, median, ms", told)


def attempt(url: str, email: str, password: str) -> float:
    """Log in once, from an address of its own; return how long it took, seconds."""
    headers = {
        "Content-Type": "application/json",
        "X-Forwarded-For": str(IPv4Address(0x0A00_0000 + next(ADDRESSES))),
    }
    body = json.dumps({"email": email, "password": password}).encode()
    began = time.monotonic()
    answer = send("POST", f"{url}/api/v1/auth/login", body=body, headers=headers)
    assert answer.status == (200 if password == PASSWORD else 401), answer.body
    return time.monotonic() - began
