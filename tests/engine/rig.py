"""An engine on the in-memory store, small enough to watch."""

import threading
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from app.connectors.flow import Delay, Fail, SetValue, Stop
from app.connectors.http import HttpClient
from app.connectors.registry import Call, Connector, Registry
from app.connectors.tokens import Purse
from app.domain import ids, jsons, times
from app.domain.errors import StepFailed
from app.domain.execution import Execution, Payload, Status, StepRecord, Trigger
from app.domain.process import Kind, Process
from app.domain.workflow import Published, Token, Version, Workflow
from app.engine import gate
from app.engine.dispatcher import Dispatcher, Run
from app.engine.feeder import Feeder
from app.engine.house import House
from app.engine.leases import LeaseOwnership
from app.engine.lifecycle import Engine
from app.engine.ownership import FileOwnership, Ownership
from app.engine.plan import Compiler
from app.engine.plans import Plans
from app.engine.pool import WorkerPool
from app.engine.runner import Runner
from app.engine.steps import Tools
from app.engine.threads import OwnThreads
from app.engine.vitals import Vitals
from app.security.addresses import AddressGuard
from app.security.secrets import Secrets
from app.security.vault import Vault
from app.store.memory import MemoryStore
from app.telemetry.signals import Signals
from app.telemetry.traces import Tracer

PATIENCE = 5.0  # seconds; a test that waits so long has failed


class Outside:
    """What the steps of a test did, as a server would have seen it."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.open = threading.Event()
        self.calls: list[tuple[str, Any]] = []
        self.failures: list[StepFailed] = []


class Gate(Connector):
    """Says that it has begun, then waits for the gate to open."""

    name: ClassVar[str] = "gate"
    outside: ClassVar[Outside]

    def run(self, call: Call) -> Any:
        self.outside.calls.append((call.idempotency_key, None))
        self.outside.begun.set()
        with call.context.woken_by(self.outside.open.set):
            self.outside.open.wait(min(PATIENCE, call.context.remaining()))
        call.context.check()


class Thinker(Gate):
    """The same for what is computed, and reaches nothing outside."""

    name: ClassVar[str] = "thinker"
    has_effect: ClassVar[bool] = False


class Recorder(Connector):
    """Remembers what reached it; fails as often as it is told to."""

    name: ClassVar[str] = "recorder"
    outside: ClassVar[Outside]
    value: Any = None

    def run(self, call: Call) -> Any:
        self.outside.calls.append((call.idempotency_key, self.value))
        if self.outside.failures:
            raise self.outside.failures.pop(0)
        return self.value


def _ownership(
    folder: Any, process: Process, store: MemoryStore, lease: float | None
) -> Ownership:
    if lease is None:
        return FileOwnership(folder / "owners", process, store.processes)
    return LeaseOwnership(process, store.processes, lease=lease)


class Rig:
    """A dispatcher, a pool and a runner over one store; several may share a store."""

    def __init__(  # noqa: PLR0913 - what a test wants to be different
        self,
        folder: Any,
        *,
        store: MemoryStore | None = None,
        workers: int = 1,
        queue: int = 0,
        kind: str = "web",
        lease: float | None = None,
        leave: Callable[[], None] | None = None,
        tracer: Tracer | None = None,
    ) -> None:
        self.outside, self.turns = Outside(), gate.Gate(patience=PATIENCE)
        Gate.outside = Recorder.outside = self.outside
        self.store = store or MemoryStore()
        process = Process(
            id=ids.new("proc"),
            kind=Kind(kind),
            workers=workers,
            queue=queue,
            started_at=times.now(),
        )
        ownership = _ownership(folder, process, self.store, lease)
        self.pool = WorkerPool(workers=workers, queue=queue)
        self.house = House.build(
            self.store, Signals(tracer=tracer or Tracer()), ownership, self.pool
        )
        self.refusals = self.house.refusals
        self.settlement, self.ownership = self.house.settlement, self.house.ownership
        compiler = Compiler(
            Registry(Gate, Thinker, Recorder, SetValue, Delay, Fail, Stop)
        )
        http, vault = HttpClient(AddressGuard(allow_private=False)), Vault([b"k" * 32])
        runner = Runner(
            self.house,
            Plans(self.store.workflows, compiler),
            Tools(
                http=http,
                secrets=Secrets(self.store.credentials, vault),
                purse=Purse(http, self.store.grants, vault),
                metrics=self.house.metrics,
                tracer=self.house.tracer,
                gate=self.turns,
                max_output=1000,
            ),
            time_limit=60,
        )
        line = OwnThreads(self.house, runner.carry_out)
        self.dispatcher = Dispatcher(self.house, line)
        self.feeder = Feeder(self.house, runner.carry_out)
        self.vitals = Vitals(
            house=self.house,
            data_dir=folder,
            limit=300.0,
            dropped=lambda: 0,
            tally=lambda: None,
        )
        self.engine = Engine(
            self.house, self.feeder, self.vitals, *([leave] if leave else [])
        )

    def workflow(self, *steps: Mapping[str, Any], **rest: Any) -> Published:
        """Store a workflow with these steps."""
        at, workflow_id = times.now(), ids.new("wf")
        definition = {"trigger": {"type": "manual"}, "steps": list(steps), **rest}
        version = Version(
            tenant_id="tenant_1",
            workflow_id=workflow_id,
            number=1,
            definition=definition,
            author_id="user_1",
            created_at=at,
        )
        workflow = Workflow(
            tenant_id="tenant_1",
            id=workflow_id,
            name=workflow_id,
            version=1,
            is_active=True,
            token=Token(workflow_id.encode(), b""),
            created_at=at,
            updated_at=at,
        )
        self.store.workflows.add(workflow, version)
        return Published(workflow, version)

    def submit(
        self,
        published: Published,
        body: Any = None,
        *,
        awaited: bool = False,
        key: bytes | None = None,
        trace: str | None = None,
    ) -> Execution:
        """Dispatch a run and wait until it is recorded."""
        payload = Payload(
            body=jsons.encode(body),
            content_type="application/json",
            headers={},
            query={},
            method="POST",
            path="",
            received_at=times.now(),
        )
        run = Run(
            published=published,
            trigger=Trigger.MANUAL,
            payload=payload,
            user_id="user_1",
            awaited=awaited,
            dedupe=key,
            trace=trace,
        )
        return self.dispatcher.submit(run).result(PATIENCE)

    def finish(
        self, published: Published, body: Any = None, *, trace: str | None = None
    ) -> Execution:
        """Dispatch a run and wait for its end."""
        started = self.submit(published, body, trace=trace)
        ended = self.dispatcher.wait("tenant_1", started.id, PATIENCE)
        assert ended is not None, "the execution did not end"
        return ended

    def get(self, execution: Execution) -> Execution:
        """Read an execution as it is now."""
        return self.store.executions.get("tenant_1", execution.id)

    def until(self, execution: Execution, status: Status) -> Execution:
        """Wait until an execution is in a state."""
        pause = threading.Event()
        for _ in range(round(PATIENCE * 200)):
            if (now := self.get(execution)).status is status:
                return now
            pause.wait(0.005)
        raise AssertionError(f"{now.status} is not {status}")

    def steps(self, execution: Execution) -> dict[str, StepRecord]:
        """Read an execution's steps by path."""
        records = self.store.executions.steps("tenant_1", execution.id)
        return {record.path: record for record in records}
