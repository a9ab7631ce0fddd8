"""Compiled versions, kept: a version never changes."""

import threading
from collections import OrderedDict

from app.engine.plan import Compiler, Plan
from app.store.protocol import Workflows

KEPT = 512  # plans


class Plans:
    """Compiles each version once, as long as it is used now and then."""

    def __init__(self, workflows: Workflows, compiler: Compiler) -> None:
        self._workflows, self._compiler = workflows, compiler
        self._lock = threading.Lock()
        self._plans: OrderedDict[tuple[str, str, int], Plan] = OrderedDict()

    def get(self, tenant_id: str, workflow_id: str, version: int) -> Plan:
        """Return the plan of a version.

        Raises:
            NotFound: there is no such version.
            Invalid: it was saved by a release that understood more.
        """
        key = (tenant_id, workflow_id, version)
        with self._lock:
            if key in self._plans:
                self._plans.move_to_end(key)
                return self._plans[key]
        stored = self._workflows.version(tenant_id, workflow_id, version)
        plan = self._compiler.compile(stored.definition)
        with self._lock:
            self._plans[key] = plan
            while len(self._plans) > KEPT:
                self._plans.popitem(last=False)
        return plan
