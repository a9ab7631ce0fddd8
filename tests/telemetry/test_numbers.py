"""Numbers in files of the library's layout, read by its own collector."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector

from app.telemetry.numbers import Counter, Histogram, Sheet

ENDS = ("kind", "outcome")


def in_file(folder):
    """All samples that a collector finds in the folder."""
    return samples(MultiProcessCollector(CollectorRegistry(), str(folder)))


def samples(*collectors):
    return {
        (each.name, *(value for _, value in sorted(each.labels.items()))): each.value
        for collector in collectors
        for family in collector.collect()
        for each in family.samples
    }


@pytest.fixture(params=["memory", "file"])
def folder(request, tmp_path):
    return None if request.param == "memory" else str(tmp_path)


@pytest.fixture
def sheet(folder):
    """Makes sheets, and closes them in the end."""
    with ExitStack() as stack:

        def make(kind: str) -> Sheet:
            one = Sheet(kind, folder)
            stack.callback(one.close)
            return one

        yield make


def test_what_is_counted_is_told_from_memory_and_from_a_file_alike(folder, sheet):
    counter = Counter(sheet("counter"), "done", "Things done", ENDS)
    histogram = Histogram(
        sheet("histogram"), "took", "Seconds", ("uses",), bounds=(0.5, 1, 5)
    )
    counter.begin("a", "failed")
    counter.add("a", "ok")
    counter.add("b", "ok", amount=2.5)
    for amount in (0.25, 0.5, 0.75, 9):
        histogram.observe(amount, "set")

    told = samples(counter, histogram) if folder is None else in_file(folder)

    assert told == {
        ("done_total", "a", "failed"): 0,
        ("done_total", "a", "ok"): 1,
        ("done_total", "b", "ok"): 2.5,
        ("took_bucket", "0.5", "set"): 2,
        ("took_bucket", "1.0", "set"): 3,
        ("took_bucket", "5.0", "set"): 3,
        ("took_bucket", "+Inf", "set"): 4,
        ("took_count", "set"): 4,
        ("took_sum", "set"): 10.5,
    }
    assert samples(counter, histogram) == told


def test_without_labels_all_begins_at_0(folder, sheet):
    counter = Counter(sheet("counter"), "lost", "Things lost")
    histogram = Histogram(sheet("histogram"), "took", "Seconds", bounds=(1,))

    told = samples(counter, histogram)

    assert set(told.values()) == {0}
    assert len(told) == 1 + 2 + 2


def test_threads_lose_no_count_also_while_a_file_grows(folder, sheet):
    counter = Counter(sheet("counter"), "done", "Things " * 200, ("n",))
    ready = threading.Barrier(8)

    def count(mine: int) -> None:
        ready.wait()
        for n in range(2_000):
            counter.add("all")
            counter.add(f"{mine}-{n % 50}")

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(count, range(8)))

    told = samples(counter) if folder is None else in_file(folder)
    assert told.pop(("done_total", "all")) == 16_000
    assert set(told.values()) == {40}
    assert len(told) == 400


def test_processes_add_up_and_one_with_the_same_id_goes_on(tmp_path):
    def count(amount):
        sheet = Sheet("counter", str(tmp_path))
        Counter(sheet, "done", "Things done").add(amount=amount)
        sheet.close()

    count(2)
    child = os.fork()
    if child == 0:
        count(3)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    count(4)

    assert in_file(tmp_path) == {("done_total",): 9}
    assert len([*tmp_path.iterdir()]) == 2
