"""The shipped gunicorn.conf.py, and what the worker refuses to serve."""

import json
import logging
import os
import runpy
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import gunicorn
import pytest
from gunicorn.config import Config

from app.server.counts import VARIABLE
from app.server.gunicornlog import OURS, QuietLogger
from app.server.limits import Limits
from app.server.worker import DeadlineWorker
from tests.server.parsing import SHIPPED

ROOT = Path(__file__).resolve().parents[2]
VARIABLES = (
    "PORT",
    "WEB_CONCURRENCY",
    "SLUICE_ENV",
    "SLUICE_BIND",
    "SLUICE_THREADS",
    "SLUICE_READ_TIMEOUT",
    "SLUICE_WRITE_TIMEOUT",
    "SLUICE_IDLE_TIMEOUT",
    "SLUICE_DRAIN_TIMEOUT",
    "SLUICE_MAX_BODY",
    "SLUICE_LOG_LEVEL",
)


@pytest.fixture
def read(monkeypatch):
    """Run gunicorn.conf.py in an environment, and return what it sets."""

    def run(**env):
        for name in VARIABLES:
            monkeypatch.delenv(name, raising=False)
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(str(ROOT / "gunicorn.conf.py"))

    return run


class Worker:
    """Remembers what the hooks of the configuration told it."""

    def __init__(self):
        self.limits = None

    def limit(self, **limits):
        self.limits = Limits(**limits)


def limits_of(settings):
    worker = Worker()
    settings["post_fork"](None, worker)
    return worker.limits


def test_every_setting_is_one_that_gunicorn_takes(read):
    cfg = Config()
    known = {name: value for name, value in read().items() if name in cfg.settings}

    for name, value in known.items():
        cfg.set(name, value)

    assert cfg.worker_class is DeadlineWorker
    assert {"bind", "threads", "timeout", "logconfig_dict", "post_fork"} <= set(known)


def test_the_parser_of_the_tests_is_configured_as_the_shipped_one(read):
    settings = read()

    assert {name: settings[name] for name in SHIPPED} == SHIPPED


def test_the_defaults_are_those_of_the_design(read):
    settings = read()

    assert settings["bind"] == "127.0.0.1:8000"
    assert (settings["workers"], settings["threads"]) == (1, 16)
    assert settings["graceful_timeout"] == 30
    assert limits_of(settings) == Limits()


@pytest.mark.parametrize("name", VARIABLES)
def test_an_empty_value_means_unset(read, name):
    unset = read()

    assert read(**{name: ""})["bind"] == unset["bind"]
    assert limits_of(read(**{name: ""})) == Limits()


def test_production_is_open_to_the_network(read):
    assert read(SLUICE_ENV="production", PORT="80")["bind"] == "0.0.0.0:80"


@pytest.mark.parametrize(
    ("host", "bind"),
    [("10.0.0.1", "10.0.0.1:8000"), ("::1", "[::1]:8000"), ("[::]", "[::]:8000")],
)
def test_the_address_can_be_chosen(read, host, bind):
    assert read(SLUICE_BIND=host)["bind"] == bind


def test_the_times_and_sizes_reach_the_worker(read):
    settings = read(
        SLUICE_READ_TIMEOUT="1.5",
        SLUICE_WRITE_TIMEOUT="2",
        SLUICE_IDLE_TIMEOUT="3.2",
        SLUICE_DRAIN_TIMEOUT="4.5",
        SLUICE_MAX_BODY="1000",
    )

    assert limits_of(settings) == Limits(
        read=1.5, write=2, idle=3.2, drain=4.5, max_body=1000
    )
    assert (settings["keepalive"], settings["graceful_timeout"]) == (4, 5)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "http"),
        ("PORT", "65536"),
        ("PORT", "-1"),
        ("PORT", "٣"),
        ("WEB_CONCURRENCY", "0"),
        ("SLUICE_ENV", "staging"),
        ("SLUICE_THREADS", "1"),
        ("SLUICE_THREADS", "1e3"),
        ("SLUICE_READ_TIMEOUT", "0"),
        ("SLUICE_READ_TIMEOUT", "nan"),
        ("SLUICE_WRITE_TIMEOUT", "inf"),
        ("SLUICE_IDLE_TIMEOUT", "-5"),
        ("SLUICE_DRAIN_TIMEOUT", "soon"),
        ("SLUICE_MAX_BODY", "1MiB"),
        ("SLUICE_LOG_LEVEL", "loud"),
    ],
)
def test_a_wrong_value_ends_with_one_clear_line(read, name, value):
    with pytest.raises(SystemExit) as ended:
        read(**{name: value})

    message = str(ended.value)
    assert message.startswith(f"{name} is {value!r}; expected ")
    assert "\n" not in message


@dataclass
class Counts:
    legacy: dict[str, str]


class Master:
    worker_class = DeadlineWorker
    master_pid = 0  # of the master that started this one

    def __init__(self, *arguments):
        self.START_CTX = {"args": ["/bin/python", *arguments]}
        self.cfg = Config()
        self.counts = None


@pytest.fixture
def counting(read, monkeypatch):
    """Make masters that count together, and close what they leave."""
    monkeypatch.setenv(VARIABLE, "to be put back")
    made = []

    def start(*, after=None):
        master = Master("/bin/gunicorn")
        if after is not None:
            master.master_pid = 1
            monkeypatch.setenv(VARIABLE, after.cfg.env_orig[VARIABLE])
        read()["on_starting"](master)
        made.append(master)
        return master

    yield start
    for each in made:
        read()["on_exit"](each)


def test_an_upgrade_starts_the_new_master_as_the_old_one_was_started(read):
    module = Master("/lib/gunicorn/__main__.py", "-c", "gunicorn.conf.py")
    command = Master("/bin/gunicorn", "-c", "gunicorn.conf.py")

    for master in (module, command):
        master.counts = Counts({VARIABLE: "/nowhere"})
        read()["pre_exec"](master)

    rest = ["-c", "gunicorn.conf.py"]
    assert module.START_CTX["args"] == ["/bin/python", "-m", "gunicorn", *rest]
    assert command.START_CTX["args"] == ["/bin/python", "/bin/gunicorn", *rest]


def test_an_upgrade_goes_on_counting_where_the_old_master_did(read, counting):
    old = counting()
    read()["pre_exec"](old)

    new = counting(after=old)

    assert new.counts.path == old.counts.path


def test_a_process_that_ended_is_taken_out_of_the_gauges(read, counting):
    master = counting()
    gauges = master.counts.path / "gauge_livesum_7.db"
    gauges.touch()

    read()["child_exit"](master, SimpleNamespace(pid=7))

    assert not gauges.exists()


def test_nothing_of_the_app_is_imported_by_the_configuration():
    text = (ROOT / "gunicorn.conf.py").read_text()

    assert "import app" not in text
    assert "from app" not in text


@pytest.mark.parametrize("package", ["app", "app/server"])
def test_what_the_master_imports_on_the_way_to_the_worker_is_empty(package):
    assert (ROOT / package / "__init__.py").read_bytes() == b""


def test_gunicorn_is_of_the_series_the_worker_was_tested_with():
    assert gunicorn.__version__.startswith("27.0."), (
        f"gunicorn {gunicorn.__version__} is installed; app/server leans on internals"
        " of 27.0.*. Run all of tests/server against the new one, then change SERIES"
        " in app/server/worker.py and this test."
    )


@pytest.mark.parametrize("version", ["26.9.9", "27.1.0", "27.01.0", "28.0.0"])
def test_any_other_gunicorn_is_refused_with_what_to_do(monkeypatch, version):
    monkeypatch.setattr(gunicorn, "__version__", version)

    with pytest.raises(RuntimeError, match=rf"{version} .*install gunicorn==27\.0\.1"):
        DeadlineWorker.check_config(Config(), None)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("certfile", os.devnull),
        ("http2_cleartext", "upgrade"),
        ("proxy_protocol", "v1"),
    ],
)
def test_what_only_a_proxy_should_speak_is_refused(name, value):
    cfg = Config()
    cfg.set(name, value)

    with pytest.raises(RuntimeError, match=r"plain HTTP/1\.1"):
        DeadlineWorker.check_config(cfg, None)


@pytest.fixture
def loggers():
    """Give the loggers back as they were."""
    kept = [logging.getLogger(name) for name in (None, *OURS)]
    before = [([*each.handlers], each.propagate, each.level) for each in kept]
    yield kept
    for each, (handlers, propagate, level) in zip(kept, before, strict=True):
        each.handlers[:] = handlers
        each.propagate = propagate
        each.setLevel(level)


def test_the_server_logs_json_on_stdout_until_the_application_logs(
    read, loggers, capsys
):
    root, *ours = loggers
    root.handlers.clear()
    cfg = Config()
    cfg.set("logconfig_dict", read()["logconfig_dict"])

    log = QuietLogger(cfg)
    log.info("Listening")
    assert json.loads(capsys.readouterr().out)["message"] == "Listening"

    log.follow_root()
    assert [len(each.handlers) for each in ours] == [1, 1]
    root.addHandler(logging.NullHandler())
    log.follow_root()
    assert [(each.handlers, each.propagate) for each in ours] == [([], True)] * 2


def test_requests_have_no_line_in_the_log(read, loggers, capsys):
    cfg = Config()
    cfg.set("logconfig_dict", read()["logconfig_dict"])

    QuietLogger(cfg).access(None, None, {"RAW_URI": "/hooks/token"}, None)

    assert capsys.readouterr().out == ""
