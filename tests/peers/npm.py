"""Vendors' libraries for Node, installed once, called for many requests at a time."""

import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

PACKAGES = {
    "@linear/sdk": "98.0.0",
    "@octokit/webhooks-methods": "6.0.0",
    "@shopify/shopify-api": "13.1.0",
    "standardwebhooks": "1.1.1",
    "stripe": "23.1.0",
}
SCRIPT = Path(__file__).with_name("peer.mjs")
FLAGS = ("--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--silent")


class Node:
    """Runs `peer.mjs` beside the installed packages."""

    def __init__(self, build: Path) -> None:
        self._home = _installed(build / "peers")
        shutil.copy(SCRIPT, self._home)

    def call(self, task: str, requests: list[dict[str, Any]]) -> list[Any]:
        """Do one task for each request; gives one answer each."""
        done = subprocess.run(
            ["node", SCRIPT.name, task],
            cwd=self._home,
            input=json.dumps(requests),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        answers: list[Any] = json.loads(done.stdout)
        assert len(answers) == len(requests)
        return answers


def _installed(target: Path) -> Path:
    """Several test processes may come here at once: the first to finish wins."""
    if target.exists():
        return target
    npm = shutil.which("npm")
    if npm is None:
        pytest.fail("the peers are installed with npm, which is missing: install npm")
    target.parent.mkdir(exist_ok=True)
    work = Path(tempfile.mkdtemp(dir=target.parent))
    wanted = [f"{name}@{version}" for name, version in PACKAGES.items()]
    command = [npm, "install", *FLAGS, "--prefix", str(work), *wanted]
    subprocess.run(command, check=True, timeout=300)
    try:
        work.rename(target)
    except OSError:
        shutil.rmtree(work)
    return target
