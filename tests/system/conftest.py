"""Real servers, a counting receiver, and the figures that tests print."""

import os
import secrets
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.services.postgres import Postgres
from tests.system import octokit
from tests.system.client import Api, send
from tests.system.fleet import KEY, installed
from tests.system.fronted import FrontedServer
from tests.system.serving import ROOT, Server
from tests.system.sink import Sink

BEHIND_NGINX = os.environ.get("SLUICE_TESTS_BEHIND") == "nginx"
SERVER = FrontedServer if BEHIND_NGINX else Server


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Start a server with data of its own; it ends with the test."""
    servers: list[Server] = []

    def run(**settings: str) -> Server:
        home = tmp_path / f"server-{len(servers)}"
        home.mkdir()
        servers.append(SERVER(home, **settings))
        servers[-1].start(within=60)
        return servers[-1]

    yield run
    for each in servers:
        each.close()


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def doors(
    request: pytest.FixtureRequest, start: Callable[..., Server]
) -> tuple[Server, Server]:
    """Two servers: on one data directory, or on one database as two machines are."""
    if request.param == "SQLite":
        first = start()
        return first, start(SLUICE_DATA_DIR=str(first.home / "data"))
    postgres: Postgres = request.getfixturevalue("postgres")
    common = {
        "DATABASE_URL": installed(postgres, f"doors_{secrets.token_hex(4)}"),
        "SLUICE_ENCRYPTION_KEYS": KEY,
        "SLUICE_SECRET_KEY": secrets.token_hex(32),
    }
    return start(**common), start(**common)


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests that only look."""
    server = SERVER(tmp_path_factory.mktemp("shared"))
    server.start()
    yield server
    server.close()


@pytest.fixture(scope="session")
def shared_api(shared: Server) -> Api:
    """The only tenant of the shared server."""
    api = shared.api()
    api.register()
    return api


@pytest.fixture(scope="module")
def hook(shared_api: Api) -> str:
    """The path of a hook whose workflow has nothing to do."""
    workflow = shared_api.workflow(
        f"Quiet {uuid.uuid4()}", {"id": "note", "uses": "set", "with": {"value": 1}}
    )
    token: str = workflow["webhook_url"].rpartition("/")[2]
    return f"/hooks/{token}"


@pytest.fixture
def clean_log(shared: Server):
    """Whatever comes in, the server's log stays clean and the server stays up."""
    before = shared.written().count("Traceback")
    yield
    assert send("GET", f"{shared.url}/health/ready").status == 200
    assert shared.written().count("Traceback") == before


@pytest.fixture
def sink() -> Iterator[Sink]:
    """The other side of every call."""
    with Sink() as one:
        yield one


@pytest.fixture(scope="session")
def payloads() -> list[octokit.Event]:
    """Every example payload of GitHub's webhooks."""
    return octokit.load(ROOT / "build")


@pytest.fixture
def figure(record_property: Callable[[str, object], None]) -> Callable[..., None]:
    """Print one measured figure at the end of the run, and keep it in the report."""
    return record_property


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print every figure under the test that measured it."""
    reports = terminalreporter.stats.get("passed", [])
    measured = [each for each in reports if each.user_properties]
    if measured:
        terminalreporter.section("figures")
    for report in measured:
        terminalreporter.write_line(report.nodeid.rpartition("::")[2])
        for name, value in report.user_properties:
            terminalreporter.write_line(f"  {name}: {value}")
