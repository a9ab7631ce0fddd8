"""``python -m tests.system.figures PAGE REPORT...``: the last run's figures.

Reads JUnit reports; every property of a test is a figure. Prints, as Markdown, the page
`runtime`, or the page `scaling` with new figures in place of those that were there.
"""

import os
import platform
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

RUNTIME = ("tests.server", "tests.system")  # docs/security.md has the peers' figures
WORKERS = "tests.system.test_workers"  # have a page of their own
SCALING = Path(__file__).resolve().parents[2] / "docs" / "scaling.md"
BEGIN, END = "<!-- figures -->\n", "<!-- end of figures -->\n"
TABLE = "| test | figure | |\n| --- | --- | --- |\n"
HEAD = """# What the runtime does, measured

Made by `make system-report` from the system tests, on {machine}, {day}.
Loopback, SQLite, the shipped configuration, no proxy in front. Times are orders of
magnitude; counts are exact.

"""
NOTE = """Measured by `make system-report` on {machine}, {day}:
PostgreSQL, Redis, the load and every process on those cores, over loopback. Times are
orders of magnitude; counts are exact.

"""


def rows(report: Path, *, workers: bool) -> Iterable[tuple[str, str, str]]:
    """Give test, figure and value for each that a report holds, file by file."""
    cases = ET.parse(report).iter("testcase")  # noqa: S314 - pytest wrote it
    told = [
        each
        for each in cases
        if each.get("classname", "").startswith(RUNTIME)
        and each.get("classname", "").startswith(WORKERS) == workers
    ]
    for case in sorted(told, key=lambda each: each.get("classname", "")):
        test = case.get("name", "").removeprefix("test_").replace("_", " ")
        for each in case.iter("property"):
            yield test, each.get("name", ""), each.get("value", "")


def table(reports: Sequence[Path], *, workers: bool) -> str:
    """Write the table."""
    told, lines = "", []
    for report in reports:
        for test, figure, value in rows(report, workers=workers):
            lines.append(f"| {'' if test == told else test} | {figure} | {value} |\n")
            told = test
    return TABLE + "".join(lines)


def runtime(reports: Sequence[Path]) -> str:
    """Write the page of a single machine."""
    return _dated(HEAD) + table(reports, workers=False)


def scaling(reports: Sequence[Path]) -> str:
    """Write the page of several, of which people have written all but the figures."""
    before, _, rest = SCALING.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    figures = _dated(NOTE) + table(reports, workers=True)
    return f"{before}{BEGIN}{figures}{END}{after}"


def _dated(text: str) -> str:
    version = f"Python {platform.python_version()}"
    machine = f"{os.cpu_count()} cores, {platform.system()}, {version}"
    return text.format(machine=machine, day=datetime.now(UTC).date())


if __name__ == "__main__":
    write = {"runtime": runtime, "scaling": scaling}[sys.argv[1]]
    sys.stdout.write(write([Path(name) for name in sys.argv[2:]]))
