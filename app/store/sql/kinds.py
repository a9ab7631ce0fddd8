"""What the writer does to executions in groups."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from sqlalchemy import Connection, Select, insert
from sqlalchemy.exc import IntegrityError

from app.domain.errors import Conflict, NotFound, full
from app.domain.execution import Execution, Payload
from app.domain.ledger import Account, Outcome
from app.domain.pace import Charge
from app.domain.times import hour_of
from app.store.sql import dedupe, execution_rows, ledger, seats, tenancy
from app.store.sql.database import lacks_parent
from app.store.sql.prepared import Prepared
from app.store.sql.rows import Values
from app.store.sql.tables import executions, payloads
from app.store.sql.tasks import Short
from app.store.sql.tolls import Tolls

EXECUTION = Prepared(insert(executions), [each.name for each in executions.columns])
PAYLOAD = Prepared(insert(payloads), [each.name for each in payloads.columns])


@dataclass(frozen=True, slots=True)
class New:
    """An execution to be added."""

    execution: Values
    payload: Values
    key: Values | None
    account: Account
    process: str
    seats: int  # that there are without a single worker
    charges: Sequence[Charge] = ()

    @property
    def id(self) -> str:
        """The execution's id."""
        return str(self.execution["id"])

    @property
    def is_seated(self) -> bool:
        """Whether it needs a seat."""
        return self.execution["seat"] is not None

    @property
    def trace(self) -> str | None:
        """The context of the trace that the execution belongs to."""
        trace: str | None = self.execution["trace"]
        return trace

    @classmethod
    def of(
        cls,
        execution: Execution,
        payload: Payload,
        key: bytes | None = None,
        *,
        seats: int = 0,
        charges: Sequence[Charge] = (),
    ) -> "New":
        """Write an execution down.

        Raises:
            Invalid: a text in it cannot be stored.
        """
        account = Account(
            execution.tenant_id,
            execution.workflow_id,
            execution.trigger,
            hour_of(execution.created_at),
        )
        return cls(
            execution_rows.execution_values(execution),
            execution_rows.payload_values(execution, payload),
            None if key is None else dedupe.values(execution, key),
            account,
            execution.owner or execution.seat or ledger.SHARED,
            seats,
            charges,
        )


@dataclass(frozen=True, slots=True)
class Held:
    """A change of an execution that holds only under its fence."""

    parameters: Values  # of the kind's statement
    steps: Sequence[Values] = ()


class Add:
    """Record new executions; of those that share a key, only the first.

    One counter for each account of the group. Answers the ids that count, or why one
    may not enter.
    """

    rank = 0

    def apply(
        self, connection: Connection, members: Sequence[New]
    ) -> Sequence[str | Exception]:
        refused = _refused(connection, members)
        let_in = [each for each in members if each.id not in refused]
        holders = iter(self._add(connection, let_in))
        return [refused.get(each.id) or next(holders) for each in members]

    def _add(self, connection: Connection, members: Sequence[New]) -> Sequence[str]:
        holders = _claimed(connection, members)
        pairs = list(zip(members, holders, strict=True))
        late = [each for each, holder in pairs if each.id != holder]
        try:
            _insert(connection, [each for each, holder in pairs if each.id == holder])
        except IntegrityError as error:
            if len(members) > 1:
                raise Short from error
            raise _why(error) from error
        counts = _counts(Outcome.RECEIVED, members) + _counts(Outcome.DUPLICATE, late)
        ledger.add(connection, [ledger.entry(*key, n) for key, n in counts.items()])
        return holders


class Change:
    """Change executions by one conditional statement, then write their steps."""

    def __init__(self, rank: int, change: Prepared, write: Prepared) -> None:
        self.rank = rank
        self._change, self._write = change, write

    @property
    def statement(self) -> Any:
        """What decides the race."""
        return self._change.statement

    def apply(self, connection: Connection, members: Sequence[Held]) -> Sequence[bool]:
        parameters = [each.parameters for each in members]
        changed = self._change.run(connection, parameters)
        steps = [step for each in members for step in each.steps]
        return _all_or_none(
            members,
            changed == len(members) and _written(connection, self._write, steps),
        )


class Record:
    """Write steps and nothing else, each only under its execution's fence."""

    def __init__(self, rank: int, write: Prepared, look: Select[Any]) -> None:
        self.rank = rank
        self._write = write
        self._look = look

    def apply(self, connection: Connection, members: Sequence[Held]) -> Sequence[bool]:
        empty = [each.parameters for each in members if not each.steps]
        held = all(connection.execute(self._look, each).first() for each in empty)
        steps = [{**each.parameters, **step} for each in members for step in each.steps]
        return _all_or_none(members, held and _written(connection, self._write, steps))


def _refused(connection: Connection, members: Sequence[New]) -> Mapping[str, Exception]:
    """Tell who may not enter, and why; the others have their seats and have paid.

    The lock on the seats comes before those on the buckets, in every process.
    """
    free, tolls = _free(connection, members), Tolls()
    tolls.read(connection, chain.from_iterable(each.charges for each in members))
    refused: dict[str, Exception] = {}
    for each in members:
        if each.is_seated and free < 1:
            refused[each.id] = full()
        elif error := tolls.take(each.charges):
            refused[each.id] = error
        else:
            free -= each.is_seated
    tolls.write(connection)
    return refused


def _free(connection: Connection, members: Sequence[New]) -> int:
    """Count the free seats, if somebody needs one."""
    asking = [each for each in members if each.is_seated]
    if not asking:
        return 0
    tenancy.limit(connection, tenancy.ALL)  # seats are everybody's
    free = seats.room(connection, asking[0].seats)
    tenancy.limit(connection, tenancy.among(e.account.tenant_id for e in members))
    return free


def _claimed(connection: Connection, members: Sequence[New]) -> Sequence[str]:
    """Return the execution that counts for each member: its own, or an earlier one."""
    keys = [each.key for each in members if each.key is not None]
    holders = iter(dedupe.claim(connection, keys))
    return [each.id if each.key is None else next(holders) for each in members]


def _insert(connection: Connection, members: Sequence[New]) -> None:
    if members:
        EXECUTION.run(connection, [each.execution for each in members])
        PAYLOAD.run(connection, [each.payload for each in members])


def _counts(
    outcome: Outcome, members: Sequence[New]
) -> Counter[tuple[Account, Outcome, str]]:
    return Counter((each.account, outcome, each.process) for each in members)


def _written(connection: Connection, write: Prepared, steps: list[Values]) -> bool:
    """Write steps and tell whether all were."""
    return not steps or write.run(connection, steps) == len(steps)


def _all_or_none(members: Sequence[Held], held: bool) -> Sequence[bool]:  # noqa: FBT001
    """Answer for all members; which of several does not hold is not known."""
    if not held and len(members) > 1:
        raise Short
    return [held] * len(members)


def _why(error: IntegrityError) -> Exception:
    """Tell what kept an execution from being added."""
    if lacks_parent(error):
        return NotFound("no such workflow or version")
    return Conflict("this execution is recorded already")
