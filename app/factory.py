"""Where everything is wired, and nowhere else."""

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Flask

from app import grounding
from app.connectors.catalog import CATALOG
from app.connectors.registry import Registry
from app.connectors.tokens import Purse
from app.domain import ids, times
from app.domain.errors import StoreUnavailable
from app.domain.process import Kind, Process
from app.engine import rates
from app.engine.dispatcher import Dispatcher
from app.engine.elsewhere import Elsewhere
from app.engine.feeder import Feeder
from app.engine.gate import Gate
from app.engine.house import House
from app.engine.leases import LeaseOwnership
from app.engine.lifecycle import Engine
from app.engine.line import Line
from app.engine.ownership import FileOwnership, Ownership
from app.engine.plan import Compiler
from app.engine.plans import Plans
from app.engine.pool import PoolStats, WorkerPool
from app.engine.rotation import Rotation
from app.engine.runner import Runner
from app.engine.steps import Tools
from app.engine.threads import OwnThreads
from app.engine.vitals import Tally, Vitals
from app.grounding import Ground
from app.security import modes
from app.security.secrets import Secrets
from app.security.vault import Vault
from app.server import process
from app.settings import Settings
from app.store.protocol import Processes, Store
from app.store.sql import SqlStore
from app.telemetry import logs
from app.telemetry.metrics import Metrics
from app.web import wiring
from app.web.services import Services

if TYPE_CHECKING:  # what knows Redis is imported when it is used
    from app.bell.listener import Listener
    from app.bell.ringer import Ringer

log = logging.getLogger(__name__)
HALT = 3  # the exit code at which gunicorn's master gives up, too
NO_BELL = (
    "REDIS_URL is not set: the web processes execute what they accept, and a worker"
    " has nothing to do. Set it for web and worker processes alike."
)
SWITCH_INTERVAL = 0.001  # seconds; a computing execution keeps nobody waiting for long


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """What web and worker processes have in common."""

    secrets: Secrets
    purse: Purse
    compiler: Compiler
    house: House
    runner: Runner
    feeder: Feeder
    vitals: Vitals


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """A worker process that is not started yet."""

    store: Store
    engine: Engine
    listener: "Listener"
    metrics: Metrics
    vitals: Vitals
    lines: logs.Lines
    start: Callable[[], None]  # opens the store and begins to execute
    lost: threading.Event  # set when others have taken it for dead


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyChange:
    """A change of keys that is not begun yet."""

    store: Store
    rotation: Rotation


def create_app(
    settings: Settings | None = None, *, store: Store | None = None
) -> Flask:
    """Build the service without starting it; tests bring settings and a store.

    ``app.extensions["start"]()`` begins to work, after the fork;
    ``app.extensions["drain"]`` ends it.

    Raises:
        ValueError: a setting is wrong; the message names its variable.
    """
    ground = grounding.lay(settings or Settings.from_env(), store)
    app = Flask("app", static_folder=None)
    core, line, begin = _door(ground, lambda: app.extensions.get("server"))
    services = Services(
        store=ground.store,
        dispatcher=Dispatcher(core.house, line),
        refusals=core.house.refusals,
        rates=rates.limiting(**ground.settings.rates),
        compiler=core.compiler,
        vault=ground.vault,
        secrets=core.secrets,
        purse=core.purse,
        metrics=ground.signals.metrics,
        tracer=ground.signals.tracer,
        summed=ground.signals.summed,
        vitals=core.vitals,
        **_plain(ground.settings),
    )
    engine = Engine(core.house, core.feeder, core.vitals, _leave)
    app.extensions["start"] = partial(_start, engine, ground, begin)
    app.extensions["drain"] = engine
    return _wired(app, ground.settings, services)


def create_worker(settings: Settings) -> Workshop:
    """Build a process that executes what web processes accept.

    Raises:
        ValueError: a setting is wrong; the message names its variable.
    """
    if settings.redis_url is None:
        raise ValueError(NO_BELL)
    ground = grounding.lay(settings)
    core = _core(ground, _process(settings, ground.vault, Kind.WORKER))
    lost = threading.Event()

    def leave() -> None:
        lost.set()
        _leave()

    engine = Engine(core.house, core.feeder, core.vitals, leave)
    return Workshop(
        store=ground.store,
        engine=engine,
        listener=_listener(settings.redis_url, core.feeder.answer),
        metrics=ground.signals.metrics,
        vitals=core.vitals,
        lines=ground.lines,
        start=partial(_start, engine, ground, _nothing),
        lost=lost,
    )


def create_key_change(settings: Settings) -> KeyChange:
    """Build what seals everything anew, beside a service that runs.

    Raises:
        ValueError: a setting is wrong; the message names its variable.
    """
    vault = grounding.vault(settings)
    store = SqlStore(settings.database, vault=vault)
    me = _process(settings, vault, Kind.WORKER, workers=0, queue=0)
    ownership = _ownership(settings, store.processes, me)
    return KeyChange(store=store, rotation=Rotation(store, vault, ownership))


def _door(
    ground: Ground, tally: Callable[[], Tally | None]
) -> tuple[Core, Line, Callable[[], None]]:
    """Build what takes events, for threads here or for workers elsewhere."""
    settings = ground.settings
    if settings.redis_url is None:
        core = _core(ground, _process(settings, ground.vault, Kind.WEB), tally)
        return core, OwnThreads(core.house, core.runner.carry_out), _nothing
    ringer = _ringer(settings.redis_url, ground.signals.metrics)
    me = _process(settings, ground.vault, Kind.WEB, workers=0, queue=0)
    books = ground.store.processes
    line = Elsewhere(books, ringer, process=me.id, seats=settings.seats)
    return _core(ground, me, tally, line.last_stats), line, ringer.start


def _ringer(url: str, metrics: Metrics) -> "Ringer":
    from app.bell.broker import ring, ringing, waiting  # noqa: PLC0415 - 0.1 s
    from app.bell.ringer import Ringer  # noqa: PLC0415

    redis = ringing(url)
    return Ringer(partial(ring, redis), partial(waiting, redis), metrics)


def _listener(url: str, answer: Callable[[], None]) -> "Listener":
    from app.bell.listener import Listener  # noqa: PLC0415 - 0.1 s

    return Listener(url, answer)


def _process(settings: Settings, vault: Vault, kind: Kind, **capacity: int) -> Process:
    """Introduce this process."""
    can = {"workers": settings.pool_workers, "queue": settings.pool_queue, **capacity}
    return Process(
        id=ids.new("proc"),
        kind=kind,
        started_at=times.now(),
        keys=tuple(vault.ring),
        **can,
    )


def _core(
    ground: Ground,
    me: Process,
    tally: Callable[[], Tally | None] = lambda: None,
    stats: Callable[[], PoolStats] | None = None,
) -> Core:
    settings, store, signals = ground.settings, ground.store, ground.signals
    secrets = Secrets(store.credentials, ground.vault)
    http = grounding.http(settings, signals)
    purse = Purse(http, store.grants, ground.vault)
    pool = WorkerPool(workers=me.workers, queue=me.queue)
    house = House.build(
        store, signals, _ownership(settings, store.processes, me), pool, stats
    )
    compiler = Compiler(
        Registry(*CATALOG),
        max_steps=settings.max_steps,
        time_limit=settings.execution_timeout,
    )
    tools = Tools(
        http=http,
        secrets=secrets,
        purse=purse,
        metrics=signals.metrics,
        tracer=signals.tracer,
        gate=Gate(),
        max_output=settings.max_output,
    )
    plans = Plans(store.workflows, compiler)
    runner = Runner(house, plans, tools, time_limit=settings.execution_timeout)
    vitals = Vitals(
        house=house,
        data_dir=settings.data_dir,
        limit=settings.execution_timeout,
        dropped=lambda: ground.lines.dropped,
        tally=tally,
    )
    return Core(
        secrets=secrets,
        purse=purse,
        compiler=compiler,
        house=house,
        runner=runner,
        feeder=Feeder(house, runner.carry_out),
        vitals=vitals,
    )


def _ownership(settings: Settings, books: Processes, me: Process) -> Ownership:
    """On one machine locks tell who lives, at once; on several only time can."""
    if settings.database.startswith("sqlite:"):
        return FileOwnership(settings.data_dir / "owners", me, books)
    return LeaseOwnership(me, books, lease=settings.lease)


def _leave() -> None:
    """Ask this process to drain and end, as whoever manages it would."""
    os.kill(os.getpid(), signal.SIGTERM)


def _nothing() -> None:
    """Begin nothing more."""


def _plain(settings: Settings) -> dict[str, Any]:
    """Return the values that endpoints need; they never see the settings."""
    return {
        "public_url": settings.base_url,
        "max_body": settings.max_body,
        "max_workflows": settings.max_workflows,
        "waiting_places": max(1, settings.threads // 2),
        "signup_first": settings.signup == "first",
        "setup_token": settings.setup_token,
        "production": settings.production,
        "session_key": grounding.session_key(settings),
        "origins": settings.origins,
        "password_places": settings.threads // 2,
        "metrics_token": settings.metrics_token,
    }


def _wired(app: Flask, settings: Settings, services: Services) -> Flask:
    wiring.install(
        app,
        services,
        cors_origins=settings.origins,
        trusted_hosts=settings.trusted_hosts,
        proxy_hops=settings.proxy_hops,
        swift_hooks=settings.swift_hooks == "on",
    )
    return app


def _start(engine: Engine, ground: Ground, begin: Callable[[], None]) -> None:
    sys.setswitchinterval(SWITCH_INTERVAL)
    process.do_apart(ground.store.prepare)
    ground.lines.start()
    try:
        engine.start()
    except StoreUnavailable as error:
        log.critical("The engine did not start", extra={"reason": str(error)})
        ground.lines.stop()
        raise SystemExit(HALT) from error
    _warn_of_readers(ground.settings.data_dir)
    begin()


def _warn_of_readers(data_dir: Path) -> None:
    others = modes.readable(modes.within(data_dir))
    if others:
        log.warning(
            "Others may read the data; run doctor",
            extra={"files": [str(each) for each in others[:5]], "count": len(others)},
        )
