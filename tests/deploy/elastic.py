"""What is shipped for Elasticsearch and Kibana, taken apart."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from tests.deploy.units import ROOT

FOLDER = ROOT / "deploy/elastic"
TEMPLATE: Mapping[str, Any] = json.loads((FOLDER / "index-template.json").read_text())
MAPPINGS: Mapping[str, Any] = TEMPLATE["template"]["mappings"]
FIELDS: Mapping[str, Any] = MAPPINGS["properties"]
PIPELINE: Mapping[str, Any] = json.loads((FOLDER / "ingest-pipeline.json").read_text())
OBJECTS: list[Mapping[str, Any]] = [
    json.loads(line) for line in (FOLDER / "dashboard.ndjson").read_text().splitlines()
]
LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def unmapped(line: Mapping[str, Any]) -> list[str]:
    """Return the fields of a line that have no place in the mapping, or the wrong."""
    return [
        name
        for name, value in line.items()
        if name not in FIELDS or not fits(FIELDS[name]["type"], value)
    ]


def fits(kind: str, value: Any) -> bool:
    """Tell whether Elasticsearch takes a value for this type."""
    match kind, value:
        case "date", str():
            return bool(LINE.fullmatch(value) and datetime.fromisoformat(value))
        case "long", bool():
            return False
        case ("long", int()) | ("text", str()) | ("flattened", dict()):
            return True
        case "keyword", list():
            return all(fits(kind, each) for each in value)
        case "keyword", str() | int():
            return True
    return value is None


def visualizations() -> Iterator[tuple[str, Mapping[str, Any], str]]:
    """Give the title, the state and the queries of each."""
    for each in OBJECTS:
        if each["type"] != "visualization":
            continue
        attributes = each["attributes"]
        state = json.loads(attributes["visState"])
        source = json.loads(attributes["kibanaSavedObjectMeta"]["searchSourceJSON"])
        ratios = [
            part["query"]
            for series in state["params"].get("series", ())
            for metric in series["metrics"]
            for part in (metric["numerator"], metric["denominator"])
        ]
        queries = " and ".join([source["query"]["query"], *ratios])
        yield attributes["title"], state, queries


def aggregated(state: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Give each aggregation's kind and field."""
    for each in state["aggs"]:
        if "field" in each["params"]:
            yield each["type"], each["params"]["field"]
