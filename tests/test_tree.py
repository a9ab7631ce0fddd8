"""The shape of the tree, where no other check keeps it."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PINNED = re.compile(r"[A-Za-z0-9._-]+==[^\s=*]+")


def python_files() -> list[Path]:
    """Our own; not those of the virtual environment."""
    folders = ("app", "tests", "bench")
    return [p for folder in folders for p in sorted((ROOT / folder).rglob("*.py"))]


@pytest.mark.parametrize("package", ["app", "app/server"])
def test_what_the_master_imports_first_is_empty(package: str):
    assert (ROOT / package / "__init__.py").read_text() == ""


def test_no_python_file_has_more_than_400_lines():
    long = [p.name for p in python_files() if len(p.read_text().splitlines()) > 400]

    assert long == []


def test_a_decision_has_a_number_a_title_and_at_most_60_lines():
    decisions = sorted((ROOT / "docs/decisions").glob("*.md"))

    for each in decisions:
        assert re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", each.name), each.name
        assert len(each.read_text().splitlines()) <= 60, each.name
    numbers = [each.name[:4] for each in decisions]
    assert len(numbers) == len(set(numbers))


@pytest.mark.parametrize("name", ["requirements.txt", "tests/requirements.txt"])
def test_every_requirement_is_pinned_exactly_and_named_once(name: str):
    lines = [
        line.partition("#")[0].strip()
        for line in (ROOT / name).read_text().splitlines()
    ]
    wanted = [line for line in lines if line]

    assert [line for line in wanted if not PINNED.fullmatch(line)] == []
    names = [line.partition("==")[0].lower().replace("_", "-") for line in wanted]
    assert len(names) == len(set(names))


def test_every_package_below_app_says_what_it_is_for():
    silent = [
        path.parent.name
        for path in (ROOT / "app").rglob("__init__.py")
        if not path.read_text().startswith('"""')
    ]

    assert set(silent) <= {"app", "server"}
