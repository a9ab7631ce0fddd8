"""How many machine instructions an event takes: a figure that does not drift.

valgrind counts them, in one process that takes one event after the other, and the same
for a bare Flask route. The ratio of both is compared with the one that is committed, so
that neither the machine nor the build of Python decides.

``python -m bench.instructions`` fails when an event takes over a tenth more than it
did; ``--accept`` writes the new figures down.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
BASELINE = ROOT / "bench" / "instructions.json"
ALLOWED = 1.1  # times the committed ratio
EVENTS = 60
LIMIT = 600  # seconds for one count
MARKS = ("--zero-before=getloadavg", "--dump-before=ctermid")


def main(arguments: list[str]) -> int:
    """Count, show, compare."""
    found = count()
    print(
        f"One event takes {found['event']:,} instructions, {found['ratio']} times those"
        f" of a bare Flask answer ({found['bare']:,})."
    )
    if "--accept" in arguments:
        BASELINE.write_text(json.dumps(found, indent=2) + "\n")
        return 0
    known = json.loads(BASELINE.read_text())
    change = found["ratio"] / known["ratio"] - 1
    print(f"The committed ratio is {known['ratio']}: {change:+.1%}.")
    if found["ratio"] <= ALLOWED * known["ratio"]:
        return 0
    print(
        "The way of an event has become more than a tenth longer. Make it shorter, or"
        " say in the commit what it pays for and run `make bench-accept`.",
        file=sys.stderr,
    )
    return 1


def count() -> dict[str, float]:
    """Count what one event takes, and what one bare answer does."""
    with tempfile.TemporaryDirectory(prefix="instructions-") as folder:
        outs = {what: Path(folder) / what for what in ("sluice", "bare")}
        event, bare = run(outs)
    return {"event": event, "bare": bare, "ratio": round(event / bare, 3)}


def run(outs: Mapping[str, Path], **env: str) -> list[int]:
    """Count what one event takes for each way, side by side.

    Args:
        outs: ways that `bench.hot_path` knows, and files to write.
        env: more for the environment.
    """
    runs = [_start(what, out, env) for what, out in outs.items()]
    for each in runs:
        _, told = each.communicate(timeout=LIMIT)
        if each.returncode:
            raise SystemExit(told.decode()[-2000:])
    return [_total(out) // EVENTS for out in outs.values()]


def _start(what: str, out: Path, env: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        raise SystemExit("valgrind counts and is missing; install the package.")
    command = [valgrind, "--tool=callgrind", f"--callgrind-out-file={out}", *MARKS]
    return subprocess.Popen(
        [*command, sys.executable, "-m", "bench.hot_path", what, str(EVENTS)],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONHASHSEED": "0", **env},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def _total(out: Path) -> int:
    """Read what was counted between the two marks."""
    [line] = [
        line
        for line in out.with_name(f"{out.name}.1").read_text().splitlines()
        if line.startswith("totals: ")
    ]
    return int(line.removeprefix("totals: "))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
