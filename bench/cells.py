"""How many cells a number of events needs, and what one lost cell takes along.

A cell is a whole installation: web processes, workers, Redis and one PostgreSQL, which
is what limits it. Tenants are of very different sizes (a Pareto distribution), and at
the peak all of them send more at once, so the question is how full the fullest cell
gets under each way to place them. Prints the tables of docs/scaling.md.

    python bench/cells.py [--cell EVENTS_PER_SECOND]
"""

import argparse
import hashlib
import heapq
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

SECONDS = 86_400  # of a day
PEAK = 3.0  # times the mean rate, for all tenants at once
FILL = 0.7  # of a cell's capacity at the peak; the rest is for retries and repairs
TAIL = 1.2  # Pareto's alpha: some tenants are a thousand times as large as most
WHALE = 0.25  # of a cell: a larger tenant is split by workflow, or moved to its own
SEED = 8
DAYS = (1e6, 1e7, 1e8, 1e9)  # events a day
TENANT = 5_000.0  # events a day of a tenant, on average
CELL = 300.0  # events a second that one cell accepts, runs and records


@dataclass(frozen=True, slots=True)
class Piece:
    """What is placed as one: a tenant, or a part of a large one."""

    id: str
    rate: float  # events a second at the peak


Placement = Callable[[Sequence[Piece], int], list[float]]


def tenants(a_day: float) -> list[Piece]:
    """Return tenants whose rates at the peak add up to a number of events a day."""
    count = round(a_day / TENANT)
    dice = random.Random(SEED)  # noqa: S311  a simulation
    sizes = [dice.paretovariate(TAIL) for _ in range(count)]
    unit = a_day / SECONDS * PEAK / sum(sizes)
    return [Piece(f"tenant-{n}", size * unit) for n, size in enumerate(sizes)]


def split(pieces: Sequence[Piece], cell: float) -> list[Piece]:
    """Cut what is larger than a share of a cell into equal parts."""
    parts = []
    for each in pieces:
        number = int(each.rate // (cell * WHALE)) + 1
        rate = each.rate / number
        parts += [Piece(f"{each.id}/{n}", rate) for n in range(number)]
    return parts


def by_hash(pieces: Sequence[Piece], cells: int) -> list[float]:
    """Place by the id alone, and return the load of each cell."""
    loads = [0.0] * cells
    for each in pieces:
        digest = hashlib.blake2b(each.id.encode(), digest_size=8).digest()
        loads[int.from_bytes(digest, "big") % cells] += each.rate
    return loads


def by_load(pieces: Sequence[Piece], cells: int) -> list[float]:
    """Place each, as it comes, where there is least, and remember where it went."""
    loads = [(0.0, number) for number in range(cells)]
    heapq.heapify(loads)
    for each in pieces:
        load, number = loads[0]
        heapq.heapreplace(loads, (load + each.rate, number))
    return [load for load, _ in loads]


def needed(pieces: Sequence[Piece], cell: float, place: Placement) -> int | None:
    """Return the fewest cells of which none is too full; None: no number suffices."""
    limit = cell * FILL
    if max(each.rate for each in pieces) > limit:
        return None
    few, many = 0, max(1, round(sum(each.rate for each in pieces) / limit))
    while max(place(pieces, many)) > limit:
        few, many = many, many * 2
    while many - few > 1:
        middle = (few + many) // 2
        if max(place(pieces, middle)) > limit:
            few = middle
        else:
            many = middle
    return many


def row(a_day: float, cell: float) -> str:
    """Return one line of the table."""
    whole = tenants(a_day)
    parts = split(whole, cell)
    hashed, split_hashed = needed(whole, cell, by_hash), needed(parts, cell, by_hash)
    placed = needed(parts, cell, by_load)
    assert placed is not None
    least = sum(each.rate for each in parts) / (cell * FILL)
    largest = max(each.rate for each in whole) / cell
    shown = [
        f"{a_day:,.0f}",
        f"{a_day / SECONDS * PEAK:,.0f}",
        f"{largest:.2f}",
        *("never" if each is None else f"{each:,}" for each in (hashed, split_hashed)),
        f"{placed:,}",
        f"{least:,.1f}",
        f"{100 / placed:.1f} %",
    ]
    return f"| {' | '.join(shown)} |"


HEAD = (
    "events a day",
    "at the peak, /s",
    "largest tenant, cells",
    "cells: tenants by hash",
    "large ones split, by hash",
    "large ones split, by load",
    "least possible",
    "lost with one cell",
)


def table(cell: float = CELL) -> str:
    """Return the table."""
    lines = [f"| {' | '.join(HEAD)} |", "| --- " * len(HEAD) + "|"]
    return "\n".join([*lines, *(row(each, cell) for each in DAYS)])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cell", type=float, default=CELL, help="events a second")
    print(table(parser.parse_args().cell))
