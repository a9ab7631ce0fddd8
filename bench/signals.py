"""What metrics and disabled tracing add to an event, in machine instructions.

The event of the other benchmarks, with its signals and without: counting in the files
that processes share, as the server does. ``python -m bench.signals`` fails when they
add more than `ALLOWED`.
"""

import sys
import tempfile
from pathlib import Path

from bench.instructions import run

ALLOWED = 0.03  # of an event


def main() -> int:
    """Count, show, judge."""
    with tempfile.TemporaryDirectory(prefix="signals-") as folder:
        outs = {what: Path(folder) / what for what in ("sluice", "silent")}
        (counts := Path(folder) / "counts").mkdir()
        event, silent = run(outs, PROMETHEUS_MULTIPROC_DIR=str(counts))
    added = event / silent - 1
    print(
        f"One event takes {event:,} instructions, {silent:,} without metrics and"
        f" disabled tracing: they add {added:.2%}."
    )
    if added <= ALLOWED:
        return 0
    print(f"More than {ALLOWED:.0%}: make them cheaper.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
