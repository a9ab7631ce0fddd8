"""Says what is wrong with an installation, and what to do."""

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from app.cli.checks import data, exposure, keys, machine, modes
from app.cli.checks.findings import Finding, Level, ok, problem
from app.cli.command import Command, Environment
from app.domain.errors import StoreUnavailable
from app.settings import Settings
from app.store.protocol import Checkup
from app.store.sql import SqlCheckup

EXITS = {Level.OK: 0, Level.WARNING: 1, Level.PROBLEM: 2}


def examine(env: Environment) -> Iterator[Finding]:
    """Look at everything, in the environment of the server; change nothing."""
    try:
        settings = Settings.from_env(env)
    except ValueError as error:
        yield from (_wrong_setting(each) for each in str(error).splitlines())
        return
    yield ok("settings", f"read, for {settings.env}")
    yield from keys.check(settings)
    yield from exposure.check(settings, env)
    checkup = SqlCheckup(settings.database)
    try:
        yield from _kept(settings, checkup)
    finally:
        checkup.close()


def _kept(settings: Settings, checkup: Checkup) -> Iterator[Finding]:
    folder = settings.data_dir
    yield from modes.check(folder, checkup.files())
    yield from data.check(checkup, folder / "owners")
    try:
        newest = checkup.newest() if checkup.exists() else None
    except StoreUnavailable:  # told already
        newest = None
    yield from machine.check(folder, newest)


def _wrong_setting(line: str) -> Finding:
    return problem(
        "settings",
        line.rstrip("."),
        expected="settings with which a server starts",
        advice="Correct or unset it",
    )


def _report(findings: Sequence[Finding], *, as_json: bool) -> Level:
    worst = max((each.level for each in findings), key=lambda each: EXITS[each])
    if as_json:
        report = {"status": worst, "findings": [asdict(each) for each in findings]}
        sys.stdout.write(json.dumps(report, indent=2) + "\n")
    else:
        sys.stdout.writelines(f"{each.line()}\n" for each in findings)
    return worst


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--json", action="store_true", help="write one JSON object instead of lines"
    )


def _run(asked: Namespace, env: Environment) -> int:
    return EXITS[_report(list(examine(env)), as_json=asked.json)]


COMMAND = Command(
    name="doctor",
    help="check an installation: keys, settings, files, database, books."
    " Exits with 0 when all is well, 1 for warnings, 2 for problems",
    run=_run,
    arguments=_arguments,
)
