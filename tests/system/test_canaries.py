"""Secrets of every type, pushed through every kind of step and every way to fail."""

import json
import socket
import ssl
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.collector import Collector
from tests.connectors.provider import Provider
from tests.services import certificates
from tests.system.canaries import Places, Watched, backup
from tests.system.client import post
from tests.system.echo import WAYS, Echo
from tests.system.mill import OUTPUT, Mill, canary
from tests.system.serving import Server
from tests.system.waiting import eventually

pytestmark = pytest.mark.system

SPOKEN = ("text", "broken", "home", "away", "leak", "silent", "untrusted", "closed")
AGAIN = "{{ steps.again.output }}"
PLACES = (
    "API answers", "answers to senders", "answers to browsers", "/metrics",
    "log", "traces", "database and its journal", "backups",
)  # fmt: skip


@pytest.fixture
def provider() -> Iterator[Provider]:
    one = Provider()
    yield one
    one.close()


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as one:
        yield one


@pytest.fixture
def untrusted(tmp_path: Path) -> Iterator[Echo]:
    """A server whose certificate nobody knows."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificates.make(tmp_path))
    with Echo(tls) as one:
        yield one


@pytest.fixture
def echo() -> Iterator[Echo]:
    """A server that shows what it was shown, and another that it leads to."""
    with Echo() as one, Echo() as other:
        one.elsewhere = other
        yield one


@pytest.fixture
def closed() -> str:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{one.getsockname()[1]}/text"


def crash(server: Server, mill: Mill, echo: Echo) -> None:
    """End the server while a secret is under way, and while a run with one waits."""
    steps = [
        {
            "id": "fetch",
            "uses": "http.request",
            "with": {"url": f"{echo.url}/text/remember", "credential": "bearer"},
        },
        {"id": "pause", "uses": "delay", "with": {"seconds": 2}},
        {"id": "again", "uses": "http.request", "with": {"url": f"{echo.url}/memory"}},
        {"id": "copy", "uses": "set", "with": {"value": [OUTPUT, AGAIN]}},
        {"id": "said", "uses": "log", "with": {"message": AGAIN}},
    ]  # fmt: skip
    stuck = {**steps[0], "with": {"url": f"{echo.url}/silent", "credential": "header"}}
    waits = mill.api.workflow("waits", *steps)["webhook_url"]
    hangs = mill.api.workflow("hangs", {**stuck, "timeout": 2})["webhook_url"]
    ids = [post(each, {}).json["execution_id"] for each in (waits, hangs)]
    eventually(
        lambda: (
            mill.api.execution(ids[0])["status"] == "waiting"
            and any(b"/silent" in each for each in echo.seen[-3:])
        ),
        within=10,
        what="one run waits and one hangs",
    )
    server.kill()
    server.start(within=60)
    assert mill.api.finished(ids[0])["status"] == "success"
    assert mill.api.finished(ids[1])["status"] == "failed"


def test_no_secret_comes_out_anywhere(  # noqa: PLR0913, PLR0917 - the servers it meets
    start, provider, echo, untrusted, closed, collector, tmp_path, figure
):
    server = start(OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
    places, control = Places(), canary("control")
    api = Watched(server.url, places)
    api.register()
    mill = Mill(api, provider)
    mill.keep_all()
    urls = {way: f"{echo.url}/{way}" for way in (*WAYS, "silent")}
    urls |= {"untrusted": f"{untrusted.url}/text", "closed": closed}
    hooks = [
        *((each, {}) for each in mill.requests(urls)),
        *((each, {}) for each in mill.several(urls)),
        *((each, {}) for each in mill.messages({k: urls[k] for k in SPOKEN})),
        *((each, {}) for each in mill.odd_ends(urls["json"])),
        *mill.doors(),
    ]
    inside = b64encode(f"z{control}".encode()).decode()
    plain = {"control": control, "inside": inside, "name": None}
    noted = {"id": "fetch", "uses": "set", "with": {"value": "{{ trigger.body }}"}}
    hooks.append((mill.workflow("control", noted), {}))

    def deliver(hook: tuple[str, dict[str, str]]) -> None:
        answer = post(hook[0], plain, **hook[1])
        places.add_answer("answers to senders", answer)

    with ThreadPoolExecutor(6) as senders:
        list(senders.map(deliver, hooks))
    crash(server, mill, echo)
    api.look_everywhere()
    places.add_files("database and its journal", (server.home / "data").glob("sluice*"))
    places.add_files("backups", backup(server.home / "data/sluice.db", tmp_path))
    server.stop()
    spans = [json.dumps(dict(each.attributes)) for each in collector.spans()]
    places.add("traces", f"{spans} {collector.spans()}".encode())
    places.add("log", server.written().encode())
    places.add("log", json.dumps(server.lines(), ensure_ascii=False).encode())

    # The search would find one: it finds what is no secret, in each place and form.
    marks = {"control": control, "a metric": "sluice_executions_total"}
    marks |= {"a span": "http.response.status_code"}
    found = {each.partition(" in ")[2] for each in places.hits(marks)}
    assert set(PLACES) - {"answers to browsers"} <= found
    # Each secret that a step uses was sent, and nothing of it to another origin.
    arrived = places_of(echo.seen)
    used = {
        n: v for n, v in mill.canaries.items() if not n.startswith(("verify", "sign"))
    }
    unsent = {"smtp", "twilio", "generic", "client secret", "client_credentials",
              "authorization_code"}  # fmt: skip
    reached = {each.partition(" in ")[0] for each in arrived.hits(used)}
    missed = {each for each in used.keys() - unsent - reached if "closed" not in each}
    assert {each for each in missed if "untrusted" not in each} == set()
    secrets = mill.canaries | mill.tokens()
    assert places_of(echo.elsewhere.seen).hits(secrets) == []
    hits = places.hits(secrets)
    figure("canary secrets and tokens", len(secrets))
    figure("runs", len(hooks) + 2)
    figure("searched", f"{places.size() >> 20} MiB: {', '.join(places.found)}")
    figure("of these places, where the search finds a control", len(found))
    figure("hits", len(hits))
    assert hits == []


def places_of(requests: list[bytes]) -> Places:
    """What came to a server."""
    came = Places()
    for each in requests:
        came.add("a server", each)
    return came
