"""``python -m tests.system.judge CLIENTS ARRIVALS MARKS DATABASE``: are promises kept?

A program of its own, that knows nothing of how the load was made, of what was killed or
of the service's code. It reads what the clients were told, what the receiver saw, what
the database knew to be finished at some instants, and the database as it is now; all
but the last are files of JSON lines. It prints every breach, and how much it looked at,
and exits with 1 if there is a breach.
"""

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from tests.system import verdict
from tests.system.sink import Arrival
from tests.system.verdict import Crash

EXECUTIONS = "SELECT id, status FROM executions"
FINISHED = (
    "SELECT execution_id || ':' || path FROM steps"
    " JOIN executions ON executions.id = execution_id"
    " WHERE steps.status = 'success'"
)
RECEIVED = "SELECT outcome, sum(n)::bigint FROM ledger GROUP BY outcome"


@dataclass(frozen=True, slots=True)
class Case:
    """All there is to judge by."""

    acknowledged: Sequence[str]  # executions that a client was promised
    arrivals: Sequence[Arrival]
    crashes: Sequence[Crash]
    executions: Sequence[dict[str, Any]]
    counted: dict[str, int]


def read(clients: Path, arrivals: Path, marks: Path, database: str) -> Case:
    """Read what was written down."""
    with psycopg.connect(database) as connection:
        executions = connection.execute(EXECUTIONS).fetchall()
        counted = connection.execute(RECEIVED).fetchall()
    return Case(
        acknowledged=[e["execution_id"] for e in _lines(clients) if e["execution_id"]],
        arrivals=[_arrival(each) for each in _lines(arrivals)],
        crashes=[Crash(e["at"], frozenset(e["finished"])) for e in _lines(marks)],
        executions=[{"id": name, "status": status} for name, status in executions],
        counted=dict(counted),
    )


def breaches(case: Case, *, order: Sequence[str]) -> Iterable[str]:
    """Name each promise that was not kept."""
    yield from verdict.lost(case.acknowledged, case.executions)
    yield from verdict.unended(case.executions)
    yield from verdict.unserved(case.acknowledged, case.arrivals, steps=order)
    yield from verdict.repeated(case.crashes, case.arrivals)
    yield from verdict.overtaken(case.arrivals, order=order)
    received = case.counted.pop("received", 0)
    if received != len(case.executions) + sum(case.counted.values()):
        yield f"received {received}, and {len(case.executions)} + {case.counted}"


def finished(database: str) -> list[str]:
    """Read which steps are recorded as finished, by their keys."""
    with psycopg.connect(database) as connection:
        return [key for (key,) in connection.execute(FINISHED).fetchall()]


def _arrival(seen: dict[str, Any]) -> Arrival:
    headers = {"idempotency-key": seen["key"]}
    return Arrival(seen["at"], "POST", seen["path"], headers, seen["body"].encode())


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def main(arguments: Sequence[str]) -> int:
    """Judge, and say what was found."""
    *paths, database = arguments
    clients, arrivals, marks = map(Path, paths)
    case = read(clients, arrivals, marks, database)
    found = list(breaches(case, order=("first", "second")))
    keys = len({each.key for each in case.arrivals})
    told = {
        "breaches": found,
        "acknowledged": len(case.acknowledged),
        "executions": len(case.executions),
        "arrivals": len(case.arrivals),
        "sent again": len(case.arrivals) - keys,
        "marks": [len(each.finished) for each in case.crashes],
    }
    print(json.dumps(told))  # noqa: T201 - its answer
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
