"""``python -m tests.system.figures REPORT...``: the last run's figures as Markdown.

Reads JUnit reports; every property of a test is a figure.
"""

import os
import platform
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

RUNTIME = ("tests.server", "tests.system")  # docs/security.md has the peers' figures
HEAD = """# What the runtime does, measured

Made by `make system-report` from the system tests, on {machine}, {day}.
Loopback, SQLite, the shipped configuration, no proxy in front. Times are orders of
magnitude; counts are exact.

| test | figure | |
| --- | --- | --- |
"""


def rows(report: Path) -> Iterable[tuple[str, str, str]]:
    """Give test, figure and value for each that a report holds, file by file."""
    cases = ET.parse(report).iter("testcase")  # noqa: S314 - pytest wrote it
    told = [each for each in cases if each.get("classname", "").startswith(RUNTIME)]
    for case in sorted(told, key=lambda each: each.get("classname", "")):
        test = case.get("name", "").removeprefix("test_").replace("_", " ")
        for each in case.iter("property"):
            yield test, each.get("name", ""), each.get("value", "")


def page(reports: list[Path]) -> str:
    """Write the document."""
    version = f"Python {platform.python_version()}"
    machine = f"{os.cpu_count()} cores, {platform.system()}, {version}"
    told, lines = "", []
    for report in reports:
        for test, figure, value in rows(report):
            lines.append(f"| {'' if test == told else test} | {figure} | {value} |")
            told = test
    day = datetime.now(UTC).date()
    return HEAD.format(machine=machine, day=day) + "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(page([Path(name) for name in sys.argv[1:]]))
