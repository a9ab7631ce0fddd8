"""How many webhooks a tenant and a workflow may send in a second."""

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

from app.domain.errors import RateLimited
from app.domain.workflow import Workflow

SIZE = 16_384  # names remembered; more than can send something in one second
NEARLY = 1e-9  # seconds: sums of floats


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


class LocalRates:
    """`Rates` of one process; several processes grant each their own.

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
            _Limit("workflow-rate", workflow, _by_workflow, size),
            _Limit("tenant-rate", tenant, _by_tenant, size),
        )
        self._limits = tuple(each for each in asked if each.rate > 0)

    def check(self, workflow: Workflow) -> None:
        if self._limits:
            with self._lock:
                self._check(workflow, self._clock())

    def take(self, workflow: Workflow) -> None:
        if self._limits:
            with self._lock:
                now = self._clock()
                self._check(workflow, now)
                for each in self._limits:
                    each.take(workflow, now)

    def _check(self, workflow: Workflow, now: float) -> None:
        for each in self._limits:
            each.check(workflow, now)


class _Limit:
    """A token bucket for each name, of which a second's worth may be used at once.

    A bucket is kept as the instant at which it will be full again, so one that is
    full needs no memory. Source: the generic cell rate algorithm, ITU-T I.371.
    """

    def __init__(
        self, code: str, rate: float, name: Callable[[Workflow], str], size: int
    ) -> None:
        self.code, self.rate, self._name, self._size = code, rate, name, size
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def check(self, workflow: Workflow, now: float) -> None:
        used = max(0.0, self._full_at.get(self._name(workflow), now) - now)
        wait = used + 1 / self.rate - max(1.0, 1 / self.rate)
        if wait > NEARLY:
            raise RateLimited(
                f"The limit {self.code} is reached: {self.rate:g} webhooks a second."
                " Send this one again after Retry-After seconds.",
                retry_after=math.ceil(wait - NEARLY),
                code=self.code,
            )

    def take(self, workflow: Workflow, now: float) -> None:
        name = self._name(workflow)
        self._full_at[name] = max(now, self._full_at.get(name, now)) + 1 / self.rate
        self._full_at.move_to_end(name)
        if len(self._full_at) > self._size:
            self._full_at.popitem(last=False)


def _by_workflow(workflow: Workflow) -> str:
    return workflow.id


def _by_tenant(workflow: Workflow) -> str:
    return workflow.tenant_id
