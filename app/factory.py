"""Where everything is wired, and nowhere else."""

import logging
import sys
from functools import partial
from typing import Any

from flask import Flask

from app.connectors.catalog import CATALOG
from app.connectors.http import HttpClient
from app.connectors.registry import Registry
from app.connectors.tokens import Purse
from app.domain.errors import StoreUnavailable
from app.engine.dispatcher import Dispatcher
from app.engine.feeder import Feeder
from app.engine.house import House
from app.engine.lifecycle import Engine
from app.engine.plan import Compiler
from app.engine.plans import Plans
from app.engine.rates import LocalRates
from app.engine.runner import Runner
from app.engine.steps import Tools
from app.engine.vitals import Vitals
from app.security import keyfile
from app.security.addresses import AddressGuard
from app.security.secrets import Secrets
from app.security.vault import Vault
from app.settings import Settings
from app.store.protocol import Store
from app.store.sql import SqlStore
from app.telemetry import logs
from app.telemetry.metrics import Metrics
from app.web import wiring
from app.web.services import Services

log = logging.getLogger(__name__)
VERSION = "0.1"
HALT = 3  # the exit code at which gunicorn's master gives up, too
SWITCH_INTERVAL = 0.001  # seconds; a computing execution keeps nobody waiting for long


def create_app(
    settings: Settings | None = None, *, store: Store | None = None
) -> Flask:
    """Build the service without starting it; tests bring settings and a store.

    ``app.extensions["start"]()`` begins to work, after the fork;
    ``app.extensions["drain"]`` ends it.

    Raises:
        ValueError: a setting is wrong; the message names its variable.
    """
    settings = settings or Settings.from_env()
    lines = logs.configure(level=settings.log_level, debug_cors=not settings.production)
    vault = _vault(settings)
    metrics = Metrics()
    store = store or SqlStore(settings.database, vault=vault, watch=metrics)
    secrets = Secrets(store.credentials, vault)
    http = _http(settings, metrics)
    purse = Purse(http, store.grants, vault)
    house = House.build(
        store,
        metrics,
        workers=settings.pool_workers,
        queue=settings.pool_queue,
        owners=settings.data_dir / "owners",
    )
    compiler = Compiler(
        Registry(*CATALOG),
        max_steps=settings.max_steps,
        time_limit=settings.execution_timeout,
    )
    runner = Runner(
        house,
        Plans(store.workflows, compiler),
        Tools(
            http=http,
            secrets=secrets,
            purse=purse,
            metrics=metrics,
            max_output=settings.max_output,
        ),
        time_limit=settings.execution_timeout,
    )
    app = Flask("app", static_folder=None)
    vitals = Vitals(
        house=house,
        data_dir=settings.data_dir,
        limit=settings.execution_timeout,
        dropped=lambda: lines.dropped,
        tally=lambda: app.extensions.get("server"),
    )
    services = Services(
        store=store,
        dispatcher=Dispatcher(house, runner.carry_out),
        refusals=house.refusals,
        rates=LocalRates(tenant=settings.tenant_rate, workflow=settings.workflow_rate),
        compiler=compiler,
        vault=vault,
        secrets=secrets,
        purse=purse,
        metrics=metrics,
        vitals=vitals,
        **_plain(settings),
    )
    engine = Engine(house, Feeder(house, runner.carry_out), vitals)
    app.extensions["start"] = partial(_start, engine, lines)
    app.extensions["drain"] = engine
    return _wired(app, settings, services)


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
        "metrics_token": settings.metrics_token,
    }


def _wired(app: Flask, settings: Settings, services: Services) -> Flask:
    wiring.install(
        app,
        services,
        cors_origins=settings.origins,
        trusted_hosts=settings.trusted_hosts,
        proxy_hops=settings.proxy_hops,
    )
    return app


def _start(engine: Engine, lines: logs.Lines) -> None:
    sys.setswitchinterval(SWITCH_INTERVAL)
    lines.start()
    try:
        engine.start()
    except StoreUnavailable as error:
        log.critical("The engine did not start", extra={"reason": str(error)})
        lines.stop()
        raise SystemExit(HALT) from error


def _vault(settings: Settings) -> Vault:
    """Open the vault; in development its key is made and kept with the data."""
    keys = settings.sealing_keys
    return Vault(keys or (keyfile.key(settings.data_dir / "encryption.key"),))


def _http(settings: Settings, metrics: Metrics) -> HttpClient:
    guard = AddressGuard(
        allow_private=settings.private_allowed, allowed=settings.outbound_allow
    )
    return HttpClient(
        guard,
        max_body=settings.max_output,
        user_agent=f"Sluice/{VERSION}",
        tell=metrics.outbound,
    )
