"""What docs/api.md shows is what the service does."""

import json
import re
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
SHOWN = [
    json.loads(each)
    for each in re.findall(r"^```json\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
]


def test_the_problem_on_the_page_is_what_a_misfit_gets(api):
    path = f"/workflows/{api.workflow()['id']}"

    answer = api.ask(
        "PATCH",
        path,
        {"name": " ", "colour": "red"},
        headers={"X-Request-Id": "deploy-7"},
    )

    assert answer.json == SHOWN[0]


def test_an_entry_of_the_audit_log_looks_as_the_page_says(api):
    made = api.workflow()
    api.call("PUT", f"/workflows/{made['id']}", {"definition": made["definition"]})

    [entry] = api.call("GET", "/audit?action=workflow.publish")["items"]

    assert list(entry) == list(SHOWN[1])
    assert list(entry["changes"]) == list(SHOWN[1]["changes"])


def test_a_key_looks_as_the_page_says(api):
    assert "`sluice_` and 12 + 49 letters and digits" in PAGE
    assert re.fullmatch(r"sluice_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}", api.key)
