"""What every kind of process stands on, made from the settings."""

from dataclasses import dataclass

from app.connectors.http import HttpClient
from app.security import keyfile
from app.security.addresses import AddressGuard
from app.security.vault import Vault
from app.settings import Settings
from app.store.protocol import Store
from app.store.sql import SqlStore
from app.telemetry import logs
from app.telemetry.metrics import Metrics
from app.telemetry.signals import Signals
from app.telemetry.traces import Tracer

VERSION = "0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What everything else stands on."""

    settings: Settings
    vault: Vault
    signals: Signals
    store: Store
    lines: logs.Lines


def lay(settings: Settings, store: Store | None = None) -> Ground:
    """Open what everything else stands on; tests bring a store.

    Raises:
        ValueError: a key is wrong; the message names its variable.
    """
    lines = logs.configure(level=settings.log_level, debug_cors=not settings.production)
    sealing, signals = vault(settings), Signals(Metrics(), _tracer(settings))
    store = store or SqlStore(settings.database, vault=sealing, watch=signals)
    return Ground(
        settings=settings, vault=sealing, signals=signals, store=store, lines=lines
    )


def vault(settings: Settings) -> Vault:
    """Open the vault; in development its key is made and kept with the data."""
    keys = settings.sealing_keys
    return Vault(keys or (_kept(settings, "encryption.key", "SLUICE_ENCRYPTION_KEYS"),))


def session_key(settings: Settings) -> bytes:
    """Return what the tokens of sessions are derived from."""
    if settings.secret_key is not None:
        return settings.secret_key.encode()
    return _kept(settings, "session.key", "SLUICE_SECRET_KEY")


def http(settings: Settings, signals: Signals) -> HttpClient:
    """Build the one door to other servers."""
    guard = AddressGuard(
        allow_private=settings.private_allowed, allowed=settings.outbound_allow
    )
    return HttpClient(
        guard,
        max_body=settings.max_output,
        user_agent=f"Sluice/{VERSION}",
        signals=signals,
    )


def _kept(settings: Settings, name: str, variable: str) -> bytes:
    """Return a key that is made once and kept with the data."""
    return keyfile.key(settings.data_dir / name, variable)


def _tracer(settings: Settings) -> Tracer:
    """Record traces if somebody wants them; only then is what it takes imported."""
    if settings.otlp_endpoint is None:
        return Tracer()
    from app.telemetry.otel import Recorder  # noqa: PLC0415 - 0.3 s and 15 MB

    return Recorder(settings.otlp_endpoint, version=VERSION)
