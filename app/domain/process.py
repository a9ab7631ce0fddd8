"""Who may own executions, and how much all of them can take."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Kind(StrEnum):
    """What a process is there for."""

    WEB = "web"  # answers requests; executes too, where there are no workers
    WORKER = "worker"  # executes


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """One process of the service, as it introduces itself."""

    id: str
    kind: Kind
    workers: int  # threads that execute
    queue: int  # executions that may wait for one
    started_at: datetime
    keys: tuple[str, ...] = ()  # public names of the keys that it opens secrets with


@dataclass(frozen=True, slots=True, kw_only=True)
class Crew:
    """What the living workers can take together, and what they have, at one instant."""

    workers: int  # threads that execute
    capacity: int  # executions that may run or wait for one
    busy: int  # executions that run
    queued: int  # executions that wait and count against the capacity
