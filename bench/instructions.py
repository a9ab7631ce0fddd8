"""How many machine instructions an event takes: a figure that does not drift.

valgrind counts them, in one process that takes one event after the other, and the same
for a bare Flask route. The ratio of both is compared with the one that is committed, so
that neither the machine nor the build of Python decides.

``python -m bench.instructions`` fails when an event takes over a tenth more than it
did, or when metrics and disabled tracing add more to it than `bench.signals` allows;
``--accept`` writes the new figures down.
"""

import json
import sys
import tempfile
from pathlib import Path

from bench import callgrind, signals

BASELINE = callgrind.ROOT / "bench" / "instructions.json"
ALLOWED = 1.1  # times the committed ratio


def main(arguments: list[str]) -> int:
    """Count, show, compare."""
    with tempfile.TemporaryDirectory(prefix="instructions-") as folder:
        callgrind.run(Path(folder), "sluice", "bare")
        found = _read(Path(folder))
        too_many = signals.judge(Path(folder))
    print(
        f"One event takes {found['event']:,} instructions, {found['ratio']} times those"
        f" of a bare Flask answer ({found['bare']:,})."
    )
    if "--accept" in arguments:
        BASELINE.write_text(json.dumps(found, indent=2) + "\n")
        return 0
    return max(_judge(found["ratio"]), too_many)


def _read(folder: Path) -> dict[str, float]:
    event, bare = (callgrind.each(folder, way) for way in ("sluice", "bare"))
    return {"event": event, "bare": bare, "ratio": round(event / bare, 3)}


def _judge(ratio: float) -> int:
    known = json.loads(BASELINE.read_text())
    change = ratio / known["ratio"] - 1
    print(f"The committed ratio is {known['ratio']}: {change:+.1%}.")
    if ratio <= ALLOWED * known["ratio"]:
        return 0
    print(
        "The way of an event has become more than a tenth longer. Make it shorter, or"
        " say in the commit what it pays for and run `make bench-accept`.",
        file=sys.stderr,
    )
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
