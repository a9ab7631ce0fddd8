"""How gunicorn serves Sluice: reads the environment, imports nothing of the app.

The worker class is named by its path. gunicorn's master loads it once, so a change of
`app/server` needs a restart or USR2, not a HUP.
"""

import math
import os
import signal
from typing import Any

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
DAY = 86_400.0  # seconds


def _refuse(name: str, expected: str) -> SystemExit:
    found = os.environ[name]
    return SystemExit(f"{name} is {found!r}; expected {expected}. Correct or unset it.")


def _choice(name: str, default: str, allowed: tuple[str, ...]) -> str:
    text = os.environ.get(name) or default
    if text not in allowed:
        raise _refuse(name, " or ".join(allowed))
    return text


def _count(name: str, default: int, lowest: int, highest: int) -> int:
    text = os.environ.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and lowest <= int(text) <= highest):
        raise _refuse(name, f"a whole number from {lowest} to {highest}")
    return int(text)


def _seconds(name: str, default: float) -> float:
    text = os.environ.get(name) or str(default)
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds <= DAY:
        raise _refuse(name, f"seconds above 0, and at most {DAY:g}")
    return seconds


def _host() -> str:
    default = "0.0.0.0" if _ENV == "production" else "127.0.0.1"  # noqa: S104
    host = os.environ.get("SLUICE_BIND") or default
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


_ENV = _choice("SLUICE_ENV", "development", ("development", "production"))
_IDLE = _seconds("SLUICE_IDLE_TIMEOUT", 120)
_DRAIN = _seconds("SLUICE_DRAIN_TIMEOUT", 30)
_CONNECTIONS = 800
_LIMITS = {
    "read": _seconds("SLUICE_READ_TIMEOUT", 15),
    "write": _seconds("SLUICE_WRITE_TIMEOUT", 30),
    "idle": _IDLE,
    "drain": _DRAIN,
    "connections": _CONNECTIONS,
    "max_body": _count("SLUICE_MAX_BODY", 1 << 20, 1, 1 << 30),
}
_LEVEL = _choice("SLUICE_LOG_LEVEL", "INFO", LEVELS)

# What is served, where, and by how many.
wsgi_app = "wsgi:app"
bind = f"{_host()}:{_count('PORT', 8000, 0, 65_535)}"
backlog = 2048
workers = _count("WEB_CONCURRENCY", 1, 1, 64)
threads = _count("SLUICE_THREADS", 16, 2, 256)
worker_class = "app.server.worker.DeadlineWorker"
worker_connections = _CONNECTIONS
proc_name = "sluice"

# How long. `timeout` is the net for a frozen process, no limit for a request.
timeout = 60
graceful_timeout = math.ceil(_DRAIN)
keepalive = math.ceil(_IDLE)
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108

# A worker loads the application itself, so that HUP brings new code.
preload_app = False
control_socket_disable = True

# What is understood: HTTP/1 alone, by the parser that the tests cover.
http_parser = "python"
http_protocols = "h1"
http2_cleartext = "off"
proxy_protocol = "off"
limit_request_line = 4094
limit_request_fields = 64
limit_request_field_size = 8190

# Who sent it is decided by the application (SLUICE_PROXY_HOPS), never here.
forwarded_allow_ips = ""
forwarder_headers = ""
secure_scheme_headers: dict[str, str] = {}

# Logs: JSON on stdout, no line for each request, because paths hold tokens.
loglevel = _LEVEL.lower()
logger_class = "app.server.gunicornlog.QuietLogger"
_TO_STDOUT = {"level": _LEVEL, "handlers": ["stdout"], "propagate": False}
logconfig_dict = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "app.server.jsonlog.JsonLogFormatter"}},
    "handlers": {
        "stdout": {
            "class": "logging.StreamHandler",
            "stream": "ext://sys.stdout",
            "formatter": "json",
        }
    },
    "root": {"level": _LEVEL, "handlers": []},
    "loggers": {"gunicorn.error": _TO_STDOUT, "app.server": _TO_STDOUT},
}


def pre_exec(master: Any) -> None:
    """Let USR2 start the new master as this one was started.

    gunicorn would run the file behind ``python -m gunicorn`` as a script, whose folder
    has an `http` package that hides the standard library's.
    """
    arguments = master.START_CTX["args"]
    if arguments[1].endswith("/gunicorn/__main__.py"):
        arguments[1:2] = ["-m", "gunicorn"]
    master.cfg.env_orig.update(master.counts.legacy)


def on_starting(master: Any) -> None:
    """Let the processes of this server count together; after USR2, go on with it."""
    master.worker_class.keep_secrets(sealed=_ENV == "production")
    kind = master.worker_class.counts
    master.counts = kind.inherit() if master.master_pid else kind.make(worker_tmp_dir)


def when_ready(master: Any) -> None:
    """Let a stop in the middle of a reload reach every worker at once.

    gunicorn looks at no signal until the workers that it replaces have finished, and
    only then would the new ones begin to.
    """

    def stop(number: int, frame: Any) -> None:
        if os.getpid() == master.pid and len(master.WORKERS) > master.num_workers:
            master.num_workers = 0  # so that none takes the place of those that end
            master.kill_workers(number)
        master.signal(number, frame)

    signal.signal(signal.SIGTERM, stop)


def post_fork(_: Any, worker: Any) -> None:
    """Tell a new worker its limits."""
    worker.limit(**_LIMITS)


def post_worker_init(worker: Any) -> None:
    """Start the engine, after the fork and before the first request."""
    worker.start_engine()


def child_exit(master: Any, worker: Any) -> None:
    """Take a process that has ended out of the gauges."""
    master.counts.bury(worker.pid)


def on_exit(master: Any) -> None:
    """Leave no file behind."""
    master.counts.close()


def worker_exit(_: Any, worker: Any) -> None:
    """Leave, whatever thread is left."""
    worker.finish()
