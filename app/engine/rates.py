"""How many webhooks a tenant and a workflow may send in a second."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Protocol

from app.domain.pace import Charge, Pace
from app.domain.workflow import Workflow

SIZE = 16_384  # names remembered; more than can send something in one second


class Rates(Protocol):
    """Limits of what comes from outside; asked on the way in, so it must not wait."""

    def check(self, workflow: Workflow) -> None:
        """Refuse what `take` would refuse, and take nothing.

        Raises:
            RateLimited: a limit is reached; `code` says which.
        """

    def take(self, workflow: Workflow) -> None:
        """Count one webhook against the limits of its workflow and its tenant.

        What is refused by one limit counts against none.

        Raises:
            RateLimited: a limit is reached; `code` says which.
        """

    def give_back(self, workflow: Workflow) -> None:
        """Take back what `take` counted, of a webhook that found no room."""

    def charges(self, workflow: Workflow) -> Sequence[Charge]:
        """Return what the store must count, too, as it records the webhook."""
        ...


class LocalRates:
    """`Rates` of one process: all that there is, or one of several.

    Args:
        tenant: webhooks a second of all workflows of a tenant; 0: any number.
        workflow: webhooks a second of one workflow; 0: any number.
        clock: seconds that never go back.
        size: names remembered; what is forgotten may send a second's worth at once.
    """

    def __init__(
        self,
        *,
        tenant: float = 0,
        workflow: float = 0,
        clock: Callable[[], float] = time.monotonic,
        size: int = SIZE,
    ) -> None:
        self._lock, self._clock = threading.Lock(), clock
        asked = (
            ("workflow-rate", workflow, _by_workflow),
            ("tenant-rate", tenant, _by_tenant),
        )
        self._limits = tuple(
            _Limit(Pace(code, rate), name, size) for code, rate, name in asked if rate
        )

    def check(self, workflow: Workflow) -> None:
        if self._limits:
            with self._lock:
                self._after(workflow)

    def take(self, workflow: Workflow) -> None:
        if self._limits:
            with self._lock:
                for each, full_at in self._after(workflow):
                    each.put(workflow, full_at)

    def give_back(self, workflow: Workflow) -> None:
        if self._limits:
            with self._lock:
                for each in self._limits:
                    each.give_back(workflow)

    def charges(self, workflow: Workflow) -> Sequence[Charge]:  # noqa: ARG002
        return ()

    def _after(self, workflow: Workflow) -> Sequence[tuple["_Limit", float]]:
        now = self._clock()
        return [(each, each.after(workflow, now)) for each in self._limits]


class SharedRates(LocalRates):
    """`Rates` of several processes: the store counts what each of them lets in.

    What is too much for all together is too much for one, so most of a flood is
    refused here.
    """

    def charges(self, workflow: Workflow) -> Sequence[Charge]:
        if not self._limits:
            return ()
        now = self._clock()
        return [Charge(each.pace, each.name(workflow), now) for each in self._limits]


def limiting(*, is_shared: bool, tenant: float, workflow: float) -> Rates:
    """Limit what comes to this process, or to all that share a store."""
    kind = SharedRates if is_shared else LocalRates
    return kind(tenant=tenant, workflow=workflow)


class _Limit:
    """A bucket for each name."""

    def __init__(self, pace: Pace, name: Callable[[Workflow], str], size: int) -> None:
        self.pace, self.name, self._size = pace, name, size
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def after(self, workflow: Workflow, now: float) -> float:
        return self.pace.after(self._full_at.get(self.name(workflow), now), now)

    def put(self, workflow: Workflow, full_at: float) -> None:
        name = self.name(workflow)
        self._full_at[name] = full_at
        self._full_at.move_to_end(name)
        if len(self._full_at) > self._size:
            self._full_at.popitem(last=False)

    def give_back(self, workflow: Workflow) -> None:
        name = self.name(workflow)
        if name in self._full_at:
            self._full_at[name] -= 1 / self.pace.rate


def _by_workflow(workflow: Workflow) -> str:
    return workflow.id


def _by_tenant(workflow: Workflow) -> str:
    return workflow.tenant_id
