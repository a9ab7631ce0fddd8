"""P6: a cancel and a timeout reach a call to the outside, whatever it waits for."""

import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.system import stalling
from tests.system.client import Api
from tests.system.serving import Server, step
from tests.system.sink import Sink
from tests.system.stalling import FullBacklog, Stalling

pytestmark = pytest.mark.system

SOON = 1.0  # seconds
LIMIT = 0.5  # seconds a step may take that times out
LARGE = "x" * 900_000  # more than the buffers of a connection with small segments
IN_HTTP = {
    "headers that never come": stalling.no_headers,
    "endless header": stalling.dribbled_head,
    "endless body": stalling.dribbled_body,
    "half a body": stalling.half_a_body,
    "large upload that nobody reads": stalling.no_reading,
}
PHASES = (
    "connect",
    "TLS handshake",
    *(f"{phase}, {scheme}" for scheme in ("http", "https") for phase in IN_HTTP),
)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> Path:
    return stalling.make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture(scope="module")
def api(certificate: Path, tmp_path_factory) -> Iterator[Api]:
    """A server with one thread for executions, that trusts our certificate."""
    server = Server(
        tmp_path_factory.mktemp("calling"),
        SLUICE_POOL_WORKERS="1",
        SSL_CERT_FILE=str(certificate),
    )
    server.start()
    one = server.api()
    one.register()
    yield one
    server.close()


@pytest.fixture(params=PHASES)
def phase(request) -> str:
    return str(request.param)


@pytest.fixture
def stalled(phase: str, tls: ssl.SSLContext) -> Iterator[Stalling | FullBacklog]:
    """A server that stops at one point of an exchange."""
    with _server(phase, tls) as server:
        yield server


def _server(phase: str, tls: ssl.SSLContext) -> Stalling | FullBacklog:
    if phase == "connect":
        return FullBacklog()
    if phase == "TLS handshake":
        return Stalling(stalling.no_handshake)
    name, _, scheme = phase.rpartition(", ")
    return Stalling(IN_HTTP[name], tls if scheme == "https" else None)


@pytest.fixture
def call(api: Api, stalled: Stalling | FullBacklog, phase: str) -> Callable[..., str]:
    """Start an execution whose first step calls that server; give its id."""

    def start(**settings: float) -> str:
        workflow = api.workflow(
            f"Calling {time.monotonic_ns()}",
            step("call", stalled.url, "{{ trigger.body }}", **settings),
            {"id": "after", "uses": "set", "with": {"value": 1}},
        )
        sent = {"input": {"text": LARGE if "upload" in phase else ""}}
        path = f"/workflows/{workflow['id']}/run"
        return str(api.call("POST", path, sent)["execution_id"])

    return start


def check_the_thread_is_free(api: Api, sink: Sink) -> None:
    """The only thread must carry out another execution at once."""
    workflow = api.workflow(
        f"Following {time.monotonic_ns()}", step("tell", f"{sink.url}/following")
    )
    began = time.monotonic()
    answer = api.call("POST", f"/workflows/{workflow['id']}/run", {"wait": 10})
    assert answer["status"] == "success"
    assert time.monotonic() - began < SOON


def test_a_cancel_ends_the_call(
    api: Api, sink: Sink, stalled: Stalling | FullBacklog, call, figure
):
    execution_id = call()
    stalled.wait()

    began = time.monotonic()
    asked = api.call("POST", f"/executions/{execution_id}/cancel")
    over = api.finished(execution_id)
    took = time.monotonic() - began

    assert asked["status"] == "running"
    assert asked["cancel_requested"]
    assert over["status"] == "cancelled"
    assert took < SOON
    assert [each["status"] for each in over["steps"]] == ["cancelled"]
    check_the_thread_is_free(api, sink)
    figure("cancel to cancelled, ms (goal: below 1000)", f"{took * 1e3:.0f}")


def test_a_timeout_ends_the_call(api: Api, sink: Sink, call):
    execution_id = call(timeout=LIMIT)

    over = api.finished(execution_id)

    assert over["status"] == "failed"
    assert (over["error"]["code"], over["error"]["step"]) == ("timeout", "call")
    assert LIMIT * 1000 <= over["duration_ms"] < (LIMIT + SOON) * 1000
    assert [each["status"] for each in over["steps"]] == ["failed"]
    check_the_thread_is_free(api, sink)
