"""What the gauges say of a process."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from app.domain import ids, times
from app.domain.execution import Status

GATE = {"id": "gate", "uses": "gate", "with": {}}
GIB = 1 << 30


@pytest.fixture
def read(rig):
    """Show the vitals, and return what a scrape says by name and labels."""

    def scrape(vitals=None):
        (vitals or rig.vitals).show()
        text, _ = rig.house.metrics.render()
        return {
            " ".join((each.name, *each.labels.values())): each.value
            for family in text_string_to_metric_families(text.decode())
            for each in family.samples
        }

    return scrape


def test_tells_who_runs_and_for_how_long(rig, read):
    assert read()["sluice_execution_oldest_seconds"] == 0
    running = rig.submit(rig.workflow(GATE))
    assert rig.outside.begun.wait(timeout=5)

    found = read()

    assert found["sluice_pool_busy"] == 1
    assert 0 < found["sluice_execution_oldest_seconds"] < 60
    assert found["sluice_execution_limit_seconds"] == 300
    rig.outside.open.set()
    rig.until(running, Status.SUCCESS)


def test_tells_how_the_process_is(read):
    found = read()

    assert found["sluice_processes"] == 1
    assert 10 << 20 < found["process_resident_memory_bytes"] < 4 * GIB
    assert found["process_cpu_seconds_total"] > 0
    assert 3 < found["process_open_fds"] <= found["process_max_fds"]
    assert 0 < found["sluice_disk_free_bytes"] <= found["sluice_disk_size_bytes"]


def test_tells_of_owed_work_and_how_old_it_is(rig, read):
    execution = rig.submit(rig.workflow(GATE))
    assert rig.outside.begun.wait(timeout=5)
    owed = replace(
        execution,
        id=ids.new("exec"),
        owner=None,
        created_at=times.now() - timedelta(seconds=90),
    )
    payload = rig.store.executions.payload(execution.tenant_id, execution.id)
    rig.store.executions.add(owed, payload).result(timeout=5)
    rig.vitals.ask()

    found = read()

    assert found["sluice_backlog_executions"] == 1
    assert 90 <= found["sluice_backlog_oldest_seconds"] < 100
    rig.outside.open.set()
    rig.until(execution, Status.SUCCESS)


def test_what_the_store_cannot_tell_does_not_keep_the_rest_back(rig, read):
    rig.store.close()

    assert read()["sluice_pool_workers"] == 1
    rig.store.start()


def test_counts_grow_by_what_others_have_counted_since(rig, read):
    lines, tally = [0], SimpleNamespace(refused=Counter({408: 2}), evicted=1)
    vitals = replace(rig.vitals, dropped=lambda: lines[0], tally=lambda: tally)
    read(vitals)
    lines[0] = 5
    tally.refused.update({408: 1, 431: 1})

    found = read(vitals)

    assert found["sluice_dropped_log_lines_total"] == 5
    assert found["sluice_refused_requests_total 408"] == 3
    assert found["sluice_refused_requests_total 431"] == 1
    assert found["sluice_evicted_connections_total"] == 1


def test_a_data_directory_that_is_gone_is_no_error(rig, read, tmp_path):
    gone = replace(rig.vitals, data_dir=tmp_path / "gone")

    assert read(gone)["sluice_pool_workers"] == 1
