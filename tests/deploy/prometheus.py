"""What is shipped for Prometheus and Grafana, taken apart."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from tests.deploy.units import ROOT

FOLDER = ROOT / "deploy/prometheus"
RULES: Mapping[str, Any] = yaml.safe_load((FOLDER / "rules.yml").read_text())
TESTS: Mapping[str, Any] = yaml.safe_load((FOLDER / "rules.test.yml").read_text())
CONFIG: Mapping[str, Any] = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
DASHBOARD: Mapping[str, Any] = json.loads(
    (ROOT / "deploy/grafana/dashboards/sluice.json").read_text()
)
NAME = re.compile(r"\b(?:sluice|process)_\w+")


def rules() -> list[Mapping[str, Any]]:
    """Return every rule."""
    return [each for group in RULES["groups"] for each in group["rules"]]


def alerts() -> dict[str, Mapping[str, Any]]:
    """Return every alert by its name."""
    return {each["alert"]: each for each in rules() if "alert" in each}


def panels() -> list[Mapping[str, Any]]:
    """Return the panels that show something."""
    return [each for each in DASHBOARD["panels"] if each["type"] != "row"]


def queries() -> Iterator[tuple[str, str]]:
    """Give each query of the dashboard, with its panel's title."""
    for panel in panels():
        for target in panel["targets"]:
            yield panel["title"], target["expr"]
