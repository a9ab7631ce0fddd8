"""Judges a run with crashes by the records of client, receiver and store.

Knows nothing of how the load was made. Every function returns what is wrong, in words.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.system.sink import Arrival

PARTS = (
    "queued",
    "running",
    "waiting",
    "success",
    "failed",
    "cancelled",
    "unknown",
    "quarantined",
    "duplicate",
    "handshake",
    "rejected",
    "shed",
)


@dataclass(frozen=True, slots=True)
class Crash:
    """One SIGKILL, and the steps that the store knew to be finished then."""

    at: float  # time.monotonic()
    finished: frozenset[str]  # their idempotency keys


def lost(
    acknowledged: Iterable[str], executions: Sequence[Mapping[str, Any]]
) -> list[str]:
    """Name each acknowledged execution that did not end in success."""
    status = {each["id"]: each["status"] for each in executions}
    return [
        f"{each} was acknowledged and is {status.get(each, 'gone')}"
        for each in acknowledged
        if status.get(each) != "success"
    ]


def unended(executions: Sequence[Mapping[str, Any]]) -> list[str]:
    """Name each execution, acknowledged or not, that still has not ended well."""
    return [
        f"{each['id']} is {each['status']}"
        for each in executions
        if each["status"] != "success"
    ]


def repeated(crashes: Sequence[Crash], arrivals: Sequence[Arrival]) -> list[str]:
    """Name each step that was finished before a crash and ran after it."""
    return [
        f"{arrival.key} was finished and ran again"
        for crash in crashes
        for arrival in arrivals
        if arrival.at > crash.at and arrival.key in crash.finished
    ]


def overtaken(arrivals: Sequence[Arrival], *, order: Sequence[str]) -> list[str]:
    """Name each execution of which an earlier step ran after a later one."""
    reached: dict[str, int] = {}
    wrong = []
    for arrival in arrivals:
        execution_id, _, step = (arrival.key or "").partition(":")
        place = order.index(step)
        if place < reached.get(execution_id, 0):
            wrong.append(f"{execution_id} ran {step} after {order[place + 1]}")
        reached[execution_id] = max(place, reached.get(execution_id, 0))
    return wrong


def unserved(
    acknowledged: Iterable[str], arrivals: Sequence[Arrival], *, steps: Sequence[str]
) -> list[str]:
    """Name each step of an acknowledged execution that the receiver never saw."""
    seen = {arrival.key for arrival in arrivals}
    return [
        f"{each}:{step} never arrived"
        for each in acknowledged
        for step in steps
        if f"{each}:{step}" not in seen
    ]


def unbalanced(ledger: Mapping[str, Any]) -> list[str]:
    """Say by how much the books are wrong."""
    accounted = sum(ledger[part] for part in PARTS)
    if ledger["received"] == accounted:
        return []
    return [f"received {ledger['received']}, accounted for {accounted}"]
