"""The words of the systemd unit, run without systemd: the test holds the socket."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.deploy import units
from tests.deploy.process import Process, keys
from tests.deploy.units import ROOT
from tests.system.client import post
from tests.system.waiting import eventually

pytestmark = pytest.mark.system

SERVICE = units.read("sluice.service")
[START] = SERVICE["ExecStart"]
CHECK = SERVICE["ExecReload"][0]


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Process]:
    """The service on a socket that outlives it; not started."""
    env = units.environment() | keys() | {"SLUICE_DATA_DIR": str(tmp_path / "data")}
    env["NOTIFY_SOCKET"] = str(tmp_path / "notify")
    with socket.create_server(("127.0.0.1", 0), backlog=64) as door:
        one = Process(tmp_path, ROOT, START.split(), env, door)
        yield one
        one.close()


@pytest.fixture
def told(tmp_path: Path) -> Iterator[socket.socket]:
    """Where systemd would listen for what its services say."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one:
        one.bind(str(tmp_path / "notify"))
        one.settimeout(20)
        yield one


def test_it_serves_on_the_socket_it_is_given_and_says_when(
    service: Process, told: socket.socket
):
    service.start()

    assert told.recv(4096).startswith(b"READY=1")
    service.await_ready()
    assert f"Listening at: {service.url} " in service.log.read_text()
    assert service.stop() == 0


def test_a_restart_refuses_nobody(service: Process):
    service.start()
    service.await_ready()
    workflow = service.tenant().workflow(
        "Kept", {"id": "note", "uses": "set", "with": {"value": 1}}
    )
    token = workflow["webhook_url"].rpartition("/")[2]
    assert service.stop() == 0

    with ThreadPoolExecutor(8) as senders:
        hook = f"{service.url}/hooks/{token}"
        answers = [senders.submit(post, hook, {"n": n}) for n in range(8)]
        eventually(
            lambda: waiting(service.port) == 8, within=10, what="all have connected"
        )
        service.start()
        statuses = [each.result(timeout=30).status for each in answers]

    assert statuses == [202] * 8
    assert service.stop() == 0


def waiting(port: int) -> int:
    """Count the connections that nobody has accepted."""
    table = Path("/proc/net/tcp").read_text().splitlines()
    rows = [line.split() for line in table[1:]]
    [queued] = [
        row[4].partition(":")[2]
        for row in rows
        if row[1].endswith(f":{port:04X}") and row[3] == "0A"
    ]
    return int(queued, 16)


def test_nobody_else_on_the_machine_can_read_the_data(service: Process, tmp_path: Path):
    service.start()
    service.await_ready()

    found = [tmp_path / "data", *(tmp_path / "data").rglob("*")]

    modes = {each.name: each.stat().st_mode & 0o777 for each in found}
    assert {"data", "owners", "sluice.db", "sluice.db.lock"} <= set(modes)
    assert [name for name, mode in modes.items() if mode & 0o077] == []


def check(service: Process, **settings: str) -> "subprocess.CompletedProcess[str]":
    """Do what a reload does before it sends HUP."""
    return subprocess.run(
        [sys.executable, *CHECK.split()[1:]],
        cwd=ROOT,
        env=service.env | settings,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_check_before_a_reload_finds_what_would_stop_the_server(service: Process):
    wrong = check(service, SLUICE_POOL_WORKERS="0")

    assert wrong.returncode != 0
    assert "SLUICE_POOL_WORKERS" in wrong.stderr


def test_the_check_before_a_reload_passes_what_starts_and_opens_nothing(
    service: Process, tmp_path: Path
):
    fine = check(service)

    assert fine.returncode == 0, fine.stderr
    assert not (tmp_path / "data").exists()
