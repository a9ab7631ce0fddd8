"""What README.md says about settings and files is what there is."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from app.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()


def read_by_the_server() -> set[str]:
    """Every variable that the settings or gunicorn's configuration read."""
    ours = {
        each.metadata.get("env", f"SLUICE_{each.name.upper()}")
        for each in fields(Settings)
    }
    configuration = (ROOT / "gunicorn.conf.py").read_text()
    return ours | set(
        re.findall(r'"(PORT|WEB_CONCURRENCY|SLUICE_[A-Z_]+)"', configuration)
    )


def test_the_table_of_settings_names_exactly_those_that_are_read():
    rows = [line for line in README.splitlines() if line.startswith("| `")]
    named = {
        name
        for row in rows
        for name in re.findall(r"`([A-Z_]{4,})`", row.split("|")[1])
    }

    assert named == read_by_the_server()


@pytest.mark.parametrize(
    "document", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/README.md"]
)
def test_a_link_to_a_file_leads_somewhere(document: str):
    here = ROOT / document
    links = re.findall(r"\]\(([^)#]+)", here.read_text())

    local = [each for each in links if "://" not in each]
    assert [each for each in local if not (here.parent / each).exists()] == []


def test_every_make_target_that_is_told_of_exists():
    told = set(
        re.findall(r"`make ([a-z-]+)", README + (ROOT / "CONTRIBUTING.md").read_text())
    )
    targets = set(
        re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    )

    assert told
    assert told <= targets
