"""Which processes may own executions, in memory."""

from collections.abc import Sequence
from datetime import datetime

from app.store.memory.state import State


class MemoryProcesses:
    """`Processes` in a dictionary."""

    def __init__(self, state: State) -> None:
        self._state = state

    def add(self, process: str, *, at: datetime) -> None:
        with self._state.writing():
            self._state.processes[process] = at

    def others(self, process: str) -> Sequence[str]:
        with self._state.lock:
            return sorted(each for each in self._state.processes if each != process)

    def remove(self, process: str) -> None:
        with self._state.writing():
            self._state.processes.pop(process, None)
