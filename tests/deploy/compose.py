"""deploy/compose.yaml, as Debian's docker-compose reads it; no engine is needed."""

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.units import ROOT

FILE = ROOT / "deploy/compose.yaml"
TEXT = FILE.read_text()
EXAMPLE = ROOT / "deploy/compose/env.example"
COMMAND = shutil.which("docker-compose")
needs_compose = pytest.mark.skipif(
    COMMAND is None, reason="needs docker-compose (Debian's package docker-compose)"
)


def variables() -> list[str]:
    """Return what the example of `.env` names."""
    return re.findall(r"^(\w+)=", EXAMPLE.read_text(), re.MULTILINE)


def written() -> Mapping[str, Any]:
    """Return the services as they are written, with their references followed."""
    services: Mapping[str, Any] = yaml.safe_load(TEXT)["services"]
    return services


def understood(env: Path) -> Mapping[str, Any]:
    """Return the services with the values of an `.env` file in them."""
    done = config(env)
    assert done.returncode == 0, done.stderr
    services: Mapping[str, Any] = yaml.safe_load(done.stdout)["services"]
    return services


def config(env: Path) -> subprocess.CompletedProcess[str]:
    """Let docker-compose check the file and print what it understood."""
    assert COMMAND
    return subprocess.run(
        [COMMAND, "--file", str(FILE), "--env-file", str(env), "config"],
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin"},
        timeout=30,
        check=False,
    )
