"""docs/observability.md names every metric, and no other."""

import re

from app.telemetry.metrics import Metrics
from tests.deploy.units import ROOT

PAGE = (ROOT / "docs" / "observability.md").read_text()
METRICS = PAGE.partition("## Metrics\n")[2].partition("\n## ")[0]
ROW = re.compile(r"^\| ((?:`\w+`(?:, )?)+) \|([^|]*)\|", re.MULTILINE)


def told():
    """The metrics of the page, with their labels."""
    return {
        name: re.findall(r"`(\w+)`", labels)
        for names, labels in ROW.findall(METRICS)
        for name in re.findall(r"`(\w+)`", names)
    }


def test_every_metric_is_explained_and_every_explained_one_exists():
    text, _ = Metrics().render()

    kept = set(re.findall(r"^# TYPE (\w+) ", text.decode(), re.MULTILINE))

    assert set(told()) == kept


def test_the_labels_are_those_that_the_page_says():
    families = {each.name: each for each in Metrics()._registry.collect()}

    for name, labels in told().items():
        family = families.get(name.removesuffix("_total"))
        known = {
            label for s in (family.samples if family else ()) for label in s.labels
        }
        assert known - {"le"} <= set(labels), name
