"""The payloads and libraries of others, and the table of how they agree with us."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.peers.npm import Node
from tests.system import octokit
from tests.system.serving import ROOT

BUILD = ROOT / "build"
OWN = (  # beside those of GitHub, of which one is not ASCII
    '{"text": "caf\u00e9 \U0001f33e \u200b\u202e 1"}',
    '{"text": "caf\\u00e9 \\ud83c\\udf3e \\/ 1"}',
    '{ "spaced" :\t1.0,\r\n"again": 1e2 }\n',
    '{"large": 123456789012345678901234567890}',
    '{"a": 1, "a": 2}',
)


@pytest.fixture(scope="session")
def node() -> Node:
    return Node(BUILD)


@pytest.fixture(scope="session")
def bodies() -> list[bytes]:
    """All examples of GitHub, compact as it sends them, and some of our own.

    Those of github.com are 329; the rest are of its Enterprise Servers.
    """
    examples = [
        json.dumps(each.payload, separators=(",", ":"), ensure_ascii=False)
        for each in octokit.load(Path(BUILD))
    ]
    assert len(examples) >= 329
    return [each.encode() for each in (*examples, *OWN)]


@pytest.fixture
def agreement(record_property: Callable[[str, object], None]) -> Callable[..., None]:
    """Note how a scheme's peer and we judged: the table's row."""

    def note(scheme: str, peer: str, payloads: int, disagreements: int) -> None:
        row = f"{payloads} payloads, {disagreements} disagreements"
        record_property(f"{scheme}: {peer}", row)

    return note


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the table of docs/security.md."""
    rows = [
        (name, value)
        for report in terminalreporter.stats.get("passed", [])
        for name, value in report.user_properties
        if str(value).endswith("disagreements")
    ]
    if not rows:
        return
    terminalreporter.section("agreement with peers")
    for name, value in sorted(rows):
        scheme, _, peer = name.partition(": ")
        payloads, _, disagreements = value.partition(" payloads, ")
        count = disagreements.removesuffix(" disagreements")
        terminalreporter.write_line(f"| {scheme} | {peer} | {payloads} | {count} |")
