"""What docs/operations.md says is so."""

import ast
import inspect
import re
from dataclasses import fields

import pytest

from app.engine.plan import STEP_TIMEOUT
from app.server import drain, process, watchdog
from app.server.limits import Limits
from app.settings import Settings
from tests.deploy import units
from tests.deploy.operations import TEXT, section, table
from tests.deploy.units import ROOT

LIMITS = Limits()
GUNICORN = ast.parse((ROOT / "gunicorn.conf.py").read_text())
MIB = 1 << 20


def shown(default: object) -> str:
    if default is None:
        return "unset"
    if default == ():
        return "none"
    return f"{default:g}" if isinstance(default, float) else str(default)


def of_the_application() -> dict[str, str]:
    """Return each variable that the settings read, with its default."""
    return {
        each.metadata.get("env", f"SLUICE_{each.name.upper()}"): shown(each.default)
        for each in fields(Settings)
    }


def of_gunicorn() -> dict[str, str]:
    """Return each variable that gunicorn.conf.py reads, with its default."""
    found = {"SLUICE_BIND": "unset"}  # read by hand: it depends on SLUICE_ENV
    for each in ast.walk(GUNICORN):
        match each:
            case ast.Call(
                func=ast.Name(id="_count" | "_seconds" | "_choice"),
                args=[ast.Constant(value=str(name)), default, *_],
            ):
                found[name] = shown(constant(default))
    return found


def constant(node: ast.expr) -> object:
    """Return the value of a default, also of one like ``1 << 20``."""
    match node:
        case ast.BinOp(left=left, op=ast.LShift(), right=right):
            return int(ast.literal_eval(left)) << int(ast.literal_eval(right))
    value: object = ast.literal_eval(node)
    return value


def test_both_readers_of_a_variable_have_the_same_default():
    ours, theirs = of_the_application(), of_gunicorn()

    common = ours.keys() & theirs.keys()
    assert {"PORT", "SLUICE_ENV", "SLUICE_MAX_BODY", "SLUICE_LOG_LEVEL"} <= common
    assert {name: ours[name] for name in common} == {
        name: theirs[name] for name in common
    }


def test_the_table_of_settings_is_that_of_the_code_with_its_defaults():
    told = {
        name: default
        for cell, default, _ in table("Settings")
        for name in re.findall(r"`(\w+)`", cell)
    }

    there = of_gunicorn() | of_the_application()
    assert told == {name: there[name] for name in there}


def test_lists_are_marked_because_an_empty_one_means_none():
    marked = {row[0].split("`")[1] for row in table("Settings") if "*" in row[0]}

    lists = {
        each.metadata.get("env", f"SLUICE_{each.name.upper()}")
        for each in fields(Settings)
        if "tuple" in str(each.type)
    }
    assert marked == lists


def test_the_numbers_are_those_of_the_code():
    service = units.read("sluice.service")
    configuration = (ROOT / "gunicorn.conf.py").read_text()
    nginx = (ROOT / "deploy/nginx/sluice.conf").read_text()
    [heartbeat] = re.findall(r"^timeout = (\d+)$", configuration, re.MULTILINE)
    [patience] = re.findall(r"proxy_read_timeout (\d+)s;", nginx)
    seats = Settings().pool_workers + Settings().pool_queue

    assert [row[0] for row in table("The numbers, and why")] == [
        f"{LIMITS.read:g} s",
        f"{LIMITS.write:g} s",
        f"{LIMITS.idle:g} s",
        f"{LIMITS.connections}",
        f"{LIMITS.received // MIB} MiB",
        f"{process.LARGE // MIB} MiB",
        f"{LIMITS.linger:g} s",
        f"{LIMITS.drain:g} s",
        f"{service['TimeoutStopSec'][0]} s",
        f"{seats}",
        f"{heartbeat} s",
        f"{patience} s",
    ]
    assert LIMITS.unsent == LIMITS.received
    assert f"threads share {process.ARENAS} arenas" in TEXT
    assert f"{LIMITS.max_lingered // MIB} MiB at most" in TEXT
    assert f"{drain.MARGIN:g} s of it are for the last writes" in TEXT


LINE = re.compile(r"(?:(?:Log|log|or|says) |\()`([A-Z][^`]* [^`]+)`")


@pytest.mark.parametrize("line", sorted(set(LINE.findall(" ".join(TEXT.split())))))
def test_a_line_of_the_log_that_is_told_of_can_be_written(line: str):
    sources = [path.read_text() for path in (ROOT / "app").rglob("*.py")]

    assert any(f'"{line}"' in each for each in sources)


def test_the_watchdog_writes_what_it_is_said_to_write():
    defaults = inspect.signature(watchdog.Watchdog).parameters
    patience = defaults["patience"].default
    begins = re.search(r'print\("(.+?):", file', inspect.getsource(watchdog))

    assert f"for more than {patience:g} s" in TEXT
    assert begins
    assert f"begins with `{begins[1]}`" in TEXT


def test_every_file_that_is_named_is_there():
    named = re.findall(r"`((?:deploy|docs|app)/[\w./-]+)`", TEXT)
    links = re.findall(r"\]\(([^)#]+)\)", TEXT)

    assert len(named) > 5
    assert [each for each in named if not (ROOT / each.split()[0]).exists()] == []
    assert [each for each in links if not (ROOT / "docs" / each).exists()] == []


def test_the_stop_is_never_longer_than_what_the_stopper_grants():
    assert "--stop-timeout 45" in section("Install it as a container")
    assert "terminationGracePeriodSeconds: 45" in section("Install it as a container")


def test_a_stop_may_take_as_long_as_a_step_may_by_default():
    assert LIMITS.drain == STEP_TIMEOUT
