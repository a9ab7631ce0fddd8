"""The commands of docs/providers, as they stand there, and the answers shown."""

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.security.signatures import choosing
from tests.system.client import Api
from tests.system.serving import KEPT, ROOT, Server
from tests.system.waiting import eventually

FOLDER = ROOT / "docs" / "providers"
PAGES = sorted(FOLDER.glob("*.md"))
PROVIDERS = [page for page in PAGES if page.name != "README.md"]
MARK = "--- next ---"
FENCED = re.compile(r"^```(bash|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
OURS = re.compile(r'"status":"(queued|duplicate)","execution_id":"([^"]+)"')

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
every_provider = pytest.mark.parametrize("page", PROVIDERS, ids=lambda page: page.stem)


@dataclass(frozen=True, slots=True)
class Sample:
    """Commands of a page, and the answers that it shows for them."""

    commands: str
    shown: str

    def explains(self, told: str) -> bool:
        """Tell whether this is what is shown, where `…` stands for anything."""
        pattern = re.escape(self.shown.strip()).replace("…", ".*")
        return re.fullmatch(pattern, told.strip()) is not None


def samples(page: Path) -> list[Sample]:
    found: list[Sample] = []
    for kind, text in FENCED.findall(page.read_text()):
        if kind == "bash":
            found.append(Sample(text, shown=""))
        else:
            found[-1] = Sample(found[-1].commands, shown=text)
    return found


def shown(page: Path) -> str:
    return "".join(each.shown for each in samples(page))


def pasted(page: Path, server: Server, key: str | None) -> list[str]:
    """Run a page in one shell, the one that README.md prepares; what each printed."""
    readme = (ROOT / "README.md").read_text()
    [field] = re.findall(r"^field\(\).*$", readme, re.MULTILINE)
    script = [f"{field}\n", *(each.commands for each in samples(page))]
    settings = {name: os.environ[name] for name in KEPT if name in os.environ}
    settings |= {"SLUICE": server.url, "SLUICE_API_KEY": str(key)}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", f"echo '{MARK}'\n".join(script)],
        env=settings,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.split(MARK)[1:]


def runs(api: Api) -> dict[str, str]:
    """Every execution so far, with its status."""
    return {each["id"]: each["status"] for each in api.executions()}


def refusals(server: Server) -> list[str]:
    """Why signatures were refused so far."""
    return [each["reason"] for each in server.events("Webhook signature refused")]


@pytest.mark.system
@every_page
def test_the_commands_of_a_page_are_answered_as_it_shows(
    page: Path, shared: Server, shared_api: Api
):
    before, refused = runs(shared_api), len(refusals(shared))

    told = pasted(page, shared, shared_api.key)

    expected = samples(page)
    assert len(told) == len(expected)
    for sample, answer in zip(expected, told, strict=True):
        assert sample.explains(answer), f"{sample.shown}\n--- but came ---\n{answer}"
    wrong = shown(page).count("/problems/signature")
    eventually(
        lambda: refusals(shared)[refused:] == ["bad"] * wrong,
        within=5,
        what=f"the log has {wrong} refusals for a bad signature",
    )
    shared_api.all_finished(within=20)
    made = {name: end for name, end in runs(shared_api).items() if name not in before}
    assert set(made.values()) == {"success"}
    answers = OURS.findall("".join(told))
    assert {name for _, name in answers} <= set(made)
    assert len(made) == (shown(page).count('"queued"') or 1)


@every_provider
def test_a_page_shows_an_event_that_comes_twice_and_one_that_is_refused(page: Path):
    lines = shown(page).splitlines()

    twice = [line for line in lines if "duplicate" in line or lines.count(line) > 1]
    assert [line for line in twice if not line.endswith(" 401")]
    assert [line for line in lines if "/problems/signature" in line]


@every_provider
def test_a_page_says_when_the_vendor_was_asked(page: Path):
    assert page.stem == "anything-else" or "2026-11-23" in page.read_text()


def test_every_scheme_has_a_line_in_the_table_and_a_sample_on_a_page():
    table = re.findall(r"^\| \[.*\|$", (FOLDER / "README.md").read_text(), re.MULTILINE)
    listed = {
        name for row in table for name in re.findall(r"`([a-z-]+)`", row.split("|")[2])
    }
    sampled = {
        name
        for page in PROVIDERS
        for name in re.findall(r'"scheme": "([a-z-]+)"', page.read_text())
    }

    assert listed == set(choosing.NAMES)
    assert sampled == set(choosing.NAMES)


@every_page
def test_a_link_of_a_page_leads_somewhere(page: Path):
    links = re.findall(r"\]\(([^)]+)\)", page.read_text())

    local = [each for each in links if "://" not in each]
    assert local
    assert [each for each in local if not _exists(page, each)] == []


def _exists(page: Path, link: str) -> bool:
    name, _, heading = link.partition("#")
    target = page.parent / name if name else page
    return target.exists() and (not heading or heading in _headings(target))


def _headings(page: Path) -> set[str]:
    """The names by which a page's sections are linked to."""
    titles = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in titles}
