"""What docs/api.md shows is what the service does."""

import json
import re
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text()


def test_the_problem_on_the_page_is_what_a_misfit_gets(api):
    [shown] = re.findall(r"^```json\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    path = f"/workflows/{api.workflow()['id']}"

    answer = api.ask(
        "PATCH",
        path,
        {"name": " ", "colour": "red"},
        headers={"X-Request-Id": "deploy-7"},
    )

    assert answer.json == json.loads(shown)


def test_a_key_looks_as_the_page_says(api):
    assert "`sluice_` and 12 + 49 letters and digits" in PAGE
    assert re.fullmatch(r"sluice_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}", api.key)
