"""The shipped nginx configuration, as deploy/compose/nginx.sh adapts it."""

import os
import subprocess
from pathlib import Path

from tests.deploy.units import ROOT
from tests.system.nginx import NAME, SHIPPED

SCRIPT = ROOT / "deploy/compose/nginx.sh"


def adapted(folder: Path, *servers: str, name: str = NAME) -> str:
    """Return what the script makes of the shipped configuration."""
    target = folder / "adapted.conf"
    env = {
        "PATH": os.environ["PATH"],
        "SLUICE_NAME": name,
        "SLUICE_SERVERS": " ".join(servers),
        "SHIPPED": str(SHIPPED),
        "ADAPTED": str(target),
    }
    subprocess.run(["/bin/sh", str(SCRIPT)], env=env, check=True, timeout=10)
    return target.read_text()
