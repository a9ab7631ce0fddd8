"""The shipped units: what they promise, and what systemd itself says of them."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from app.server.process import OPEN_FILES
from tests.deploy import units
from tests.deploy.units import ROOT

SERVICE = units.read("sluice.service")
WORKER = units.read("sluice-worker.service")
SOCKET = units.read("sluice.socket")
ANALYZE = shutil.which("systemd-analyze")
EXPOSURE = 1.1  # of 10; what docs/operations.md says too
COMMAND = "/opt/sluice/.venv/bin/python -m gunicorn --config gunicorn.conf.py wsgi:app"
needs_systemd = pytest.mark.skipif(ANALYZE is None, reason="systemd is not installed")


def seconds(setting: str) -> float:
    [value] = SERVICE[setting]
    return float(value)


def test_no_setting_is_made_twice_but_those_that_add_up():
    several = {name for name, values in SERVICE.items() if len(values) > 1}

    assert several == {"Environment", "ExecReload", "SystemCallFilter"}


def test_a_reload_tries_the_application_before_it_sends_hup():
    check, hup = SERVICE["ExecReload"]

    assert SERVICE["ExecStart"] == [COMMAND]
    assert check == COMMAND.replace("gunicorn ", "gunicorn --check-config ")
    assert hup == "/bin/kill -HUP $MAINPID"


def test_a_stop_reaches_the_master_alone_and_leaves_the_drain_its_time():
    configuration = (ROOT / "gunicorn.conf.py").read_text()
    [drain] = re.findall(r'"SLUICE_DRAIN_TIMEOUT", (\d+)', configuration)

    assert SERVICE["KillMode"] == ["mixed"]
    assert SERVICE["KillSignal"] == ["SIGTERM"]
    assert seconds("TimeoutStopSec") == 45
    assert seconds("TimeoutStopSec") >= float(drain) + 15


def test_the_watchdog_of_systemd_is_off_because_gunicorn_never_feeds_it():
    assert "WatchdogSec" not in SERVICE


def test_the_service_begins_with_the_machine_and_its_socket_with_it():
    assert SERVICE["WantedBy"] == ["multi-user.target"]
    assert SERVICE["Also"] == SERVICE["Requires"] == ["sluice.socket"]
    assert SOCKET["WantedBy"] == ["sockets.target"]


def test_the_socket_is_where_nginx_looks_for_it_and_nowhere_else():
    nginx = (ROOT / "deploy/nginx/sluice.conf").read_text()
    [listens] = SOCKET["ListenStream"]

    assert listens == "127.0.0.1:8000"
    assert f"server {listens};" in nginx
    assert int(SOCKET["Backlog"][0]) == 2048


def test_the_data_is_readable_by_the_service_alone():
    assert SERVICE["UMask"] == ["0077"]
    assert SERVICE["StateDirectoryMode"] == ["0700"]
    assert SERVICE["StateDirectory"] == ["sluice"]
    assert units.environment()["SLUICE_DATA_DIR"] == "/var/lib/sluice"


def test_no_secret_stands_in_a_unit():
    assert "EnvironmentFile" in SERVICE
    assert set(units.environment()) == {
        "SLUICE_ENV",
        "SLUICE_DATA_DIR",
        "SLUICE_PROXY_HOPS",
        "PYTHONDONTWRITEBYTECODE",
        "PYTHONUNBUFFERED",
    }


def test_as_many_files_may_be_open_as_the_server_wants():
    assert int(SERVICE["LimitNOFILE"][0]) == OPEN_FILES


def test_a_worker_is_as_little_exposed_and_as_carefully_stopped_as_the_service():
    own = {
        *("After", "Description", "Documentation", "Environment", "ExecStart"),
        *("OOMPolicy", "Type", "WantedBy", "Wants"),
    }
    not_its = {"Also", "ExecReload", "NotifyAccess", "Requires"}

    assert WORKER.keys() - own == SERVICE.keys() - own - not_its
    assert {name: WORKER[name] for name in WORKER.keys() - own} == {
        name: SERVICE[name] for name in WORKER.keys() - own
    }


def test_a_worker_runs_the_same_program_and_tells_its_health_to_this_machine_alone():
    environment = units.environment("sluice-worker.service")

    assert WORKER["ExecStart"] == ["/opt/sluice/.venv/bin/python -m app worker"]
    assert WORKER["Restart"] == ["on-failure"]  # it exits with 1 when taken for dead
    assert environment["SLUICE_BIND"] == "127.0.0.1"
    assert environment["PORT"] != SOCKET["ListenStream"][0].rpartition(":")[2]
    assert environment["SLUICE_DATA_DIR"] == "/var/lib/sluice"


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The service's unit, with the interpreter where it says."""
    interpreter = tmp_path / ".venv/bin/python"
    interpreter.parent.mkdir(parents=True)
    interpreter.symlink_to(sys.executable)
    return units.adapted(tmp_path, tmp_path)


def analyze(*arguments: str) -> str:
    assert ANALYZE
    done = subprocess.run(
        [ANALYZE, *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@needs_systemd
@pytest.mark.system
def test_systemd_finds_no_fault_in_the_units(unit: Path):
    worker = unit.with_name("sluice-worker.service")
    told = analyze("verify", str(unit), str(unit.with_suffix(".socket")), str(worker))

    assert unit.parent.name not in told


@needs_systemd
@pytest.mark.system
def test_systemd_judges_the_service_as_little_exposed(unit: Path, record_property):
    told = analyze("security", "--offline=true", "--no-pager", str(unit))

    found = re.search(r"Overall exposure level .*: ([\d.]+)", told)
    assert found
    assert float(found[1]) <= EXPOSURE
    record_property("exposure of the unit, of 10 (goal: below 2)", found[1])
    stated = f"**{EXPOSURE} of 10**"
    assert stated in (ROOT / "docs/operations.md").read_text()


@needs_systemd
@pytest.mark.system
def test_systemd_judges_a_worker_as_no_more_exposed(unit: Path):
    worker = unit.with_name("sluice-worker.service")

    told = analyze("security", "--offline=true", "--no-pager", str(worker))

    found = re.search(r"Overall exposure level .*: ([\d.]+)", told)
    assert found
    assert float(found[1]) <= EXPOSURE
