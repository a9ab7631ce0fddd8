"""Counts machine instructions between two marks of `bench.hot_path`."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
EVENTS = 60
LIMIT = (
    1800  # seconds for one count; a busy machine needs ten times what an idle one does
)
MARKS = ("--zero-before=getloadavg", "--dump-before=ctermid")


def run(folder: Path, *ways: str) -> None:
    """Let each way that `bench.hot_path` knows be counted, side by side.

    Args:
        folder: for what is counted, by valgrind and by the service itself.
        ways: their names.
    """
    counts = folder / "counts"  # as processes of one server share it
    counts.mkdir()
    env = {
        "PATH": os.environ["PATH"],
        "PYTHONHASHSEED": "0",
        "PROMETHEUS_MULTIPROC_DIR": str(counts),
    }
    runs = [_start(way, folder / way, env) for way in ways]
    for each in runs:
        _, told = each.communicate(timeout=LIMIT)
        if each.returncode:
            raise SystemExit(told.decode()[-2000:])


def each(folder: Path, way: str, pair: int = 1) -> int:
    """Return what one event took between two marks, the first pair or a later one."""
    [line] = [
        line
        for line in (folder / f"{way}.{pair}").read_text().splitlines()
        if line.startswith("totals: ")
    ]
    return int(line.removeprefix("totals: ")) // EVENTS


def _start(way: str, out: Path, env: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        raise SystemExit("valgrind counts and is missing; install the package.")
    command = [valgrind, "--tool=callgrind", f"--callgrind-out-file={out}", *MARKS]
    return subprocess.Popen(
        [*command, sys.executable, "-m", "bench.hot_path", way, str(EVENTS)],
        cwd=ROOT,
        env=dict(env),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
