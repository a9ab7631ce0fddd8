"""Time the store's contract tests in memory and on an SQLite file.

The same tests run on both, each with a store of its own; a test's time is that of its
set-up, its body and its clean-up.
"""

import re
import statistics
import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
GOAL = 50  # times faster in memory
NAME = re.compile(r"::(?P<test>\w+)\[(?P<store>memory|sqlite)(?P<rest>.*)\]$")


class Stopwatch:
    """Collects what pytest measures: test, then store, then seconds."""

    def __init__(self) -> None:
        self.seconds: dict[str, dict[str, float]] = defaultdict(
            lambda: defaultdict(float)
        )

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add one phase of one test."""
        if found := NAME.search(report.nodeid):
            test = found["test"] + found["rest"]
            self.seconds[test][found["store"]] += report.duration


def show(seconds: Mapping[str, Mapping[str, float]]) -> None:
    """Print a line for each test, the dearest on SQLite first, then the medians."""
    print(f"\n{'memory ms':>10} {'sqlite ms':>10} {'ratio':>7}  test")
    by_cost = sorted(seconds.items(), key=lambda each: -each[1]["sqlite"])
    for test, times in by_cost:
        print(line(times["memory"], times["sqlite"], test.replace("_", " ")))
    memory, sqlite = (
        [times[store] for times in seconds.values()] for store in ("memory", "sqlite")
    )
    print(line(sum(memory), sum(sqlite), f"TOTAL of {len(seconds)} tests"))
    medians = statistics.median(memory), statistics.median(sqlite)
    print(line(medians[0], medians[1], f"MEDIAN; the goal is a ratio of {GOAL}"))


def line(memory: float, sqlite: float, what: str) -> str:
    """Write two times in milliseconds and how many times longer the second is."""
    ratio = sqlite / memory
    return f"{memory * 1000:10.2f} {sqlite * 1000:10.2f} {ratio:7.1f}  {what}"


def main() -> int:
    """Run the tests; their failure is this program's."""
    watch = Stopwatch()
    tests = ROOT / "tests" / "store"
    code = pytest.main(
        [
            "-q",
            "--no-header",
            f"--rootdir={ROOT}",
            f"--ignore={tests / 'sql'}",
            str(tests),
        ],
        plugins=[watch],
    )
    if code == 0:
        show(watch.seconds)
    return code


if __name__ == "__main__":
    sys.exit(main())
