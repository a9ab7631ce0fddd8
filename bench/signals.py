"""What metrics and disabled tracing add to an event, in machine instructions.

The events of the other benchmarks, and then once more only what they told the metrics
and the tracer, counted in the files that processes share, as the server does. Both in
one process: two runs, with signals and without, differ by more than the signals,
because threads do not always meet in the same way. ``python -m bench.signals`` fails
when an event has more than `ALLOWED` of them.
"""

import sys
import tempfile
from pathlib import Path

from bench import callgrind

ALLOWED = 0.03  # of an event without them


def main() -> int:
    """Count, show, judge."""
    with tempfile.TemporaryDirectory(prefix="signals-") as folder:
        callgrind.run(Path(folder), "sluice")
        return judge(Path(folder))


def judge(folder: Path) -> int:
    """Show what was counted there; 1 when it is more than allowed."""
    event = callgrind.each(folder, "sluice")
    signals = callgrind.each(folder, "sluice", pair=2)
    added = signals / (event - signals)
    print(
        f"Of {event:,} instructions of an event {signals:,} are metrics and disabled"
        f" tracing, which add {added:.2%}."
    )
    if added <= ALLOWED:
        return 0
    print(f"More than {ALLOWED:.0%}: make them cheaper.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
