"""GitHub's own example payloads, from the npm package of its SDK."""

import json
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PACKAGE = "@octokit/webhooks-examples"
VERSION = "7.6.1"


@dataclass(frozen=True, slots=True)
class Event:
    """One delivery: the event's name, and the payload that GitHub would post."""

    name: str
    payload: dict[str, Any]


def load(build: Path) -> list[Event]:
    """Install the package once into `build` and read all of its payloads."""
    package = _installed(build) / "node_modules" / PACKAGE
    return [
        Event(kind["name"], example)
        for index in sorted(package.glob("*/index.json"))
        for kind in json.loads(index.read_text())
        for example in kind["examples"]
    ]


def _installed(build: Path) -> Path:
    """Several test processes may come here at once: the first to finish wins."""
    target = build / f"octokit-{VERSION}"
    if target.exists():
        return target
    npm = shutil.which("npm")
    if npm is None:
        pytest.fail(f"{PACKAGE} is installed with npm, which is missing: install npm")
    build.mkdir(exist_ok=True)
    work = Path(tempfile.mkdtemp(dir=build))
    flags = ("--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--silent")
    subprocess.run(
        [npm, "install", *flags, "--prefix", work, f"{PACKAGE}@{VERSION}"],
        check=True,
        timeout=300,
    )
    try:
        work.rename(target)
    except OSError:
        shutil.rmtree(work)
    return target
