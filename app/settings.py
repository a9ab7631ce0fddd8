"""What the environment decides."""

import os
from base64 import b64decode
from collections.abc import Mapping, MutableMapping
from dataclasses import Field as Declared
from dataclasses import dataclass, field, fields
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, TypeAdapter
from pydantic import ValidationError as Misfit

KEY_BYTES = 32
SLOWEST, FASTEST = 0.001, 1e6  # webhooks a second


def _listed(value: object) -> object:
    """Split ``a, b``, or lines, into items; nothing is an empty list."""
    if not isinstance(value, str):
        return value
    items = value.replace("\n", ",").split(",")
    return tuple(item.strip() for item in items if item.strip())


def _key(value: str) -> str:
    if len(b64decode(value, validate=True)) != KEY_BYTES:
        raise ValueError(f"must be the base64 of {KEY_BYTES} bytes")
    return value


def _rate(value: float) -> float:
    if value and not SLOWEST <= value <= FASTEST:
        raise ValueError(f"must be 0, for no limit, or {SLOWEST:g} to {FASTEST:g}")
    return value


def _absolute(value: str) -> str:
    if not value.startswith(("http://", "https://")):
        raise ValueError("must begin with http:// or https://")
    return value


def _database(value: str) -> str:
    if not value.startswith(("sqlite:///", "postgresql://")):
        raise ValueError("must begin with sqlite:/// or postgresql://")
    return value


def _redis(value: str) -> str:
    if not value.startswith(("redis://", "rediss://", "unix://")):
        raise ValueError("must begin with redis://, rediss:// or unix://")
    return value


Count = Annotated[int, Field(ge=0)]
Positive = Annotated[int, Field(gt=0)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Rate = Annotated[float, AfterValidator(_rate)]
Listed = BeforeValidator(_listed)
Names = Annotated[tuple[str, ...], Listed]
Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], Listed]
Keys = Annotated[tuple[Annotated[str, AfterValidator(_key)], ...], Listed]
UNBUILT = (
    "SLUICE_BACKLOG_LIMIT",
    "SLUICE_MAX_DEPTH",
    "SLUICE_MAX_LOOP",
    "SLUICE_RETENTION_DAYS",
    "SLUICE_STORAGE_LIMIT",
)
LISTS = frozenset({"cors_origins", "outbound_allow"})  # empty means none, not unset
LOCAL_ORIGINS = (r"https?://localhost(:\d+)?$", r"https?://127\.0\.0\.1(:\d+)?$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything the environment decides. Read once, by the factory.

    A field is read from ``SLUICE_`` and its name in capitals, unless it names another
    variable. One that is not shown may also be read from a file, whose path is in that
    variable with ``_FILE`` behind it.
    """

    env: Literal["development", "production"] = "development"
    data_dir: Path = Path("data")
    database_url: Annotated[str, AfterValidator(_database)] | None = field(
        default=None, repr=False, metadata={"env": "DATABASE_URL"}
    )
    redis_url: Annotated[str, AfterValidator(_redis)] | None = field(
        default=None, repr=False, metadata={"env": "REDIS_URL"}
    )
    port: Positive = field(default=8000, metadata={"env": "PORT"})
    bind: str | None = None  # the address to listen on
    web_concurrency: Positive = field(  # web processes on this machine
        default=1, metadata={"env": "WEB_CONCURRENCY"}
    )
    public_url: Annotated[str, AfterValidator(_absolute)] | None = None
    trusted_hosts: Names = ()  # none: any
    proxy_hops: Count = 0
    secret_key: str | None = field(default=None, repr=False)
    encryption_keys: Keys = field(default=(), repr=False)
    signup: Literal["first", "open"] = "first"
    setup_token: str | None = field(default=None, repr=False)
    threads: Positive = 16  # that answer requests
    swift_hooks: Literal["on", "off"] = "on"  # taken by the event loop, or by threads
    pool_workers: Positive = 10  # threads that execute
    pool_queue: Count = 100  # executions that may wait for one
    execution_timeout: Seconds = 300.0  # seconds an execution may run
    drain_timeout: Seconds = 30.0  # seconds a stop may take
    lease: Seconds = 30.0  # seconds after which a silent process counts as dead
    max_body: Positive = 1 << 20  # bytes of a request
    tenant_rate: Rate = 0.0  # webhooks a second, of all processes; 0: any number
    workflow_rate: Rate = 0.0  # the same for one workflow
    max_workflows: Positive = 10_000  # of a tenant
    max_steps: Positive = 1000  # steps of a workflow
    max_output: Positive = 1 << 20  # bytes of a step's output
    cors_origins: Names | None = None  # none: localhost in development
    outbound_private: Literal["allow", "deny"] | None = None
    outbound_allow: Networks = ()
    otlp_endpoint: Annotated[str, AfterValidator(_absolute)] | None = field(
        default=None, repr=False, metadata={"env": "OTEL_EXPORTER_OTLP_ENDPOINT"}
    )
    metrics_token: str | None = field(default=None, repr=False)
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> Self:
        """Read the environment; what is unset or empty keeps its default.

        Raises:
            ValueError: one line for each variable that is wrong or missing.
        """
        names = {each.name: _variable(each) for each in fields(cls)}
        env = {**env, **_from_files(env)}
        given = {
            name: env[variable]
            for name, variable in names.items()
            if env.get(variable) or (name in LISTS and variable in env)
        }
        if early := [name for name in UNBUILT if env.get(name)]:
            raise ValueError(
                f"{', '.join(early)}: not supported yet; leave it unset, so that you do"
                " not count on it."
            )
        try:
            settings = TypeAdapter(cls).validate_python(given)
        except Misfit as error:
            raise ValueError(_told(error, names, given)) from None
        return settings.checked()

    def checked(self) -> Self:
        """Return these settings if they may be used together.

        Raises:
            ValueError: production lacks its keys.
        """
        if self.production and not (self.secret_key and self.encryption_keys):
            raise ValueError(
                "SLUICE_ENV=production needs SLUICE_SECRET_KEY (a long random text) and"
                " SLUICE_ENCRYPTION_KEYS (base64 of 32 random bytes); set both."
            )
        return self

    @property
    def production(self) -> bool:
        """Whether this serves the world."""
        return self.env == "production"

    @property
    def seats(self) -> int:
        """How many executions one process takes."""
        return self.pool_workers + self.pool_queue

    @property
    def rates(self) -> Mapping[str, Any]:
        """How many webhooks may come in a second, to one web process or to several."""
        one = self.database.startswith("sqlite:") and self.web_concurrency == 1
        limits = {"tenant": self.tenant_rate, "workflow": self.workflow_rate}
        return {**limits, "is_shared": not one}

    @property
    def host(self) -> str:
        """The address to listen on."""
        world = "0.0.0.0" if self.production else "127.0.0.1"  # noqa: S104
        return self.bind or world

    @property
    def base_url(self) -> str:
        """What links are built from, without a slash at the end."""
        return (self.public_url or f"http://localhost:{self.port}").rstrip("/")

    @property
    def database(self) -> str:
        """The URL of the database; by default a file in the data directory."""
        return self.database_url or f"sqlite:///{self.data_dir / 'sluice.db'}"

    @property
    def sealing_keys(self) -> tuple[bytes, ...]:
        """What credentials are sealed with, the newest first; none: a file has it."""
        return tuple(b64decode(each) for each in self.encryption_keys)

    @property
    def origins(self) -> tuple[str, ...]:
        """Origins whose pages may call the API, as texts or regular expressions."""
        if self.cors_origins is not None:
            return self.cors_origins
        return () if self.production else LOCAL_ORIGINS

    @property
    def private_allowed(self) -> bool:
        """Whether workflows may call private addresses."""
        default = "deny" if self.production else "allow"
        return (self.outbound_private or default) == "allow"


def forget(env: MutableMapping[str, str]) -> None:
    """Take the secrets out of an environment that was read.

    What looks at it later, or inherits it, does not find them.
    """
    for each in _secrets():
        env.pop(each, None)


def _variable(one: Declared[Any]) -> str:
    name: str = one.metadata.get("env", f"SLUICE_{one.name.upper()}")
    return name


def _secrets() -> list[str]:
    return [_variable(each) for each in fields(Settings) if not each.repr]


def _from_files(env: Mapping[str, str]) -> dict[str, str]:
    """Read the secrets that are kept in files.

    Raises:
        ValueError: a file cannot be read, or its variable is set as well.
    """
    found = {}
    for variable in _secrets():
        path = env.get(f"{variable}_FILE")
        if not path:
            continue
        if env.get(variable):
            raise ValueError(f"{variable} and {variable}_FILE are both set; unset one")
        try:
            found[variable] = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is no text"
            raise ValueError(
                f"{variable}_FILE is {path!r}, which cannot be read: {why}"
            ) from None
    return found


def _told(error: Misfit, names: Mapping[str, str], given: Mapping[str, str]) -> str:
    """Write a line for each variable; values only of those that are no secrets."""
    plain = {each.name for each in fields(Settings) if each.repr}
    lines = []
    for each in error.errors():
        name = str(each["loc"][0])
        found = f" is {given[name]!r};" if name in plain else ""
        why = each["msg"].removeprefix("Value error, ")
        lines.append(f"{names[name]}{found} {why[0].lower()}{why[1:]}")
    return "\n".join(lines)
