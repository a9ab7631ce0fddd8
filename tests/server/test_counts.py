"""The folder in which the processes of a server count."""

import os
import subprocess
import sys

import pytest

from app.server.counts import PREFIX, VARIABLE, CountsFolder

COUNT = (
    "from prometheus_client import CollectorRegistry, Counter;"
    "Counter('events', 'Events', registry=CollectorRegistry()).inc({})"
)
TELL = """
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
registry = CollectorRegistry()
MultiProcessCollector(registry)
print(generate_latest(registry).decode())
"""


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    monkeypatch.setenv(VARIABLE, "to be put back")


def run(program):
    """Run a program in a process that counts with the others."""
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    return done.stdout


def test_processes_that_have_ended_still_count(tmp_path):
    folder = CountsFolder.make(str(tmp_path))

    run(COUNT.format(2))
    run(COUNT.format(3))

    assert "events_total 5.0" in run(TELL)
    folder.close()


def test_the_folder_goes_with_the_server(tmp_path):
    folder = CountsFolder.make(str(tmp_path))
    assert folder.path.stat().st_mode & 0o777 == 0o700

    folder.close()

    assert list(tmp_path.iterdir()) == []


def test_a_new_server_begins_at_zero_and_removes_what_a_killed_one_left(tmp_path):
    left = tmp_path / f"{PREFIX}left"
    left.mkdir()
    (left / "counter_1.db").touch()
    (tmp_path / "sluice.db").touch()

    folder = CountsFolder.make(str(tmp_path))

    assert {each.name for each in tmp_path.iterdir()} == {
        folder.path.name,
        "sluice.db",
    }
    assert list(folder.path.iterdir()) == []
    folder.close()


def test_two_servers_do_not_count_together(tmp_path):
    first, second = (CountsFolder.make(str(tmp_path)) for _ in range(2))

    assert first.path != second.path
    assert first.path.exists()
    first.close()
    second.close()


def test_the_next_master_goes_on_and_the_last_one_removes_it(tmp_path):
    old = CountsFolder.make(str(tmp_path))
    os.environ.update(old.legacy)
    new = CountsFolder.inherit()

    old.close()
    assert new.path == old.path
    assert new.path.exists()

    new.close()
    assert not new.path.exists()


def test_the_gauges_of_a_dead_process_go_and_its_counts_stay(tmp_path):
    folder = CountsFolder.make(str(tmp_path))
    for name in ("gauge_livesum_7.db", "gauge_livemax_7.db", "gauge_livesum_17.db"):
        (folder.path / name).touch()
    (folder.path / "counter_7.db").touch()

    folder.bury(7)

    left = {each.name for each in folder.path.iterdir()}
    assert left == {"gauge_livesum_17.db", "counter_7.db"}
    folder.close()
