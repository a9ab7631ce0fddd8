"""Which processes may own executions, in memory."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from app.domain import times
from app.domain.process import Crew, Process
from app.store.memory.state import TAKEN, Listed, State


class MemoryProcesses:
    """`Processes` in a dictionary."""

    def __init__(self, state: State) -> None:
        self._state = state

    def add(self, process: Process, *, lease: float | None = None) -> None:
        until = None if lease is None else times.now() + timedelta(seconds=lease)
        with self._state.writing():
            self._state.processes[process.id] = Listed(process, until)

    def extend(self, process: str, *, lease: float) -> bool:
        with self._state.writing():
            known = self._state.processes.get(process)
            if known is None or known.lease_until in (None, TAKEN):
                return False
            until = times.now() + timedelta(seconds=lease)
            self._state.processes[process] = replace(known, lease_until=until)
            return True

    def expire(self, process: str) -> Sequence[str]:
        with self._state.writing():
            gone = [
                name
                for name, each in sorted(self._state.processes.items())
                if each.lease_until is not None
                and each.lease_until <= times.now()
                and name != process
            ]
            for name in gone:
                taken = replace(self._state.processes[name], lease_until=TAKEN)
                self._state.processes[name] = taken
            return gone

    def without(self, key: str) -> Sequence[str]:
        with self._state.lock:
            return sorted(
                name
                for name, each in self._state.processes.items()
                if key not in each.process.keys
                and (each.lease_until is None or each.lease_until > times.now())
            )

    def others(self, process: str) -> Sequence[str]:
        with self._state.lock:
            return sorted(each for each in self._state.processes if each != process)

    def retire(self, process: str) -> None:
        with self._state.writing():
            if (known := self._state.processes.get(process)) is not None:
                idle = replace(known.process, workers=0, queue=0)
                self._state.processes[process] = replace(known, process=idle)

    def remove(self, process: str) -> None:
        with self._state.writing():
            self._state.processes.pop(process, None)

    def crew(self) -> Crew:
        with self._state.lock:
            return self._state.crew()
