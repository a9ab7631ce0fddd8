"""docs/operations.md, taken apart."""

import re

from tests.deploy.units import ROOT

TEXT = (ROOT / "docs/operations.md").read_text()


def section(title: str) -> str:
    """Return what stands under a heading."""
    [found] = re.findall(
        rf"^## {title}\n(.*?)(?=^## |\Z)", TEXT, re.DOTALL | re.MULTILINE
    )
    return str(found)


def table(title: str) -> list[list[str]]:
    """Return the cells of the section's table, without its head."""
    lines = [each for each in section(title).splitlines() if each.startswith("| ")]
    return [[cell.strip() for cell in each.strip("|").split("|")] for each in lines[2:]]


def scripts(title: str) -> list[str]:
    """Return the section's blocks that a test runs."""
    return re.findall(r"^```bash\n(.*?)^```$", section(title), re.DOTALL | re.MULTILINE)


def entry(alert: str) -> str:
    """Return what the runbook says of an alert."""
    [found] = re.findall(
        rf"^### {alert}\n(.*?)(?=^##|\Z)", TEXT, re.DOTALL | re.MULTILINE
    )
    return str(found)
