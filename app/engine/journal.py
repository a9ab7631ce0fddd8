"""The steps of one execution: what is written, and what is not yet."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace

from app.domain.errors import ServiceError
from app.domain.execution import Execution, StepRecord
from app.store.protocol import Executions

Needs = Callable[[Mapping[str, StepRecord]], Collection[str]]


class Lost(ServiceError):
    """Somebody else decided about the execution; nothing written here counts."""

    code = "lost"


class Journal:
    """Remembers the steps of a held execution, and writes them when it must.

    Steps without an effect outside share the commit of the next one that has one, or
    of the end: waiting for a commit after each of them costs more than all the rest.
    """

    def __init__(self, executions: Executions, held: Execution) -> None:
        self._executions, self._held = executions, held
        self._records: dict[str, StepRecord] = {}
        self._unwritten: dict[str, StepRecord] = {}
        self.is_handed_back = False  # and written no more by this process

    def load(self, needs: Needs) -> None:
        """Read what earlier segments wrote, and of their outputs what is needed."""
        names = (self._held.tenant_id, self._held.id)
        known = {e.record.path: e.record for e in self._executions.outline(*names)}
        wanted = needs(known)
        outputs = self._executions.outputs(*names, wanted) if wanted else {}
        self._records = {
            path: replace(each, output=outputs.get(path))
            for path, each in known.items()
        }

    def __iter__(self) -> Iterator[StepRecord]:
        return iter(self._records.values())

    def find(self, path: str) -> StepRecord | None:
        """Return what is known of a step, if it was ever begun."""
        return self._records.get(path)

    def position(self, path: str) -> int:
        """Return the place of a step in the order of first starts."""
        known = self._records.get(path)
        return known.position if known else len(self._records)

    def note(self, record: StepRecord) -> None:
        """Remember a step; it is written by `commit`, or with the end."""
        self._records[record.path] = self._unwritten[record.path] = record

    def commit(self) -> None:
        """Write what is not written, and wait until it is durable.

        Raises:
            Lost: the execution is no longer held.
            StoreUnavailable: nothing was written.
        """
        if not self._executions.record(self._held, self.unwritten()).result():
            raise Lost(f"execution {self._held.id} is no longer held here")
        self._unwritten.clear()

    def unwritten(self) -> tuple[StepRecord, ...]:
        """Return what `commit`, or the end, still has to write."""
        return tuple(self._unwritten.values())
