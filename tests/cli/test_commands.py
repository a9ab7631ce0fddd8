"""The list of commands, and how a command that cannot go on ends."""

import re
from argparse import Namespace

import pytest

from app import cli
from app.cli.command import Command, Environment, Stopped


def _stop(_: Namespace, env: Environment) -> int:
    error = Stopped(f"no {env['WHAT']}; bring some")
    error.add_note("It was seen last year.")
    raise error


def test_a_command_that_stops_says_why_and_adds_its_notes(capsys):
    command = Command(name="grind", help="grind corn", run=_stop)

    assert cli.main(["grind"], env={"WHAT": "water"}, commands=[command]) == 1

    told = capsys.readouterr().err
    assert told == (
        "The command grind failed: no water; bring some\nIt was seen last year.\n"
    )


def test_every_command_has_a_name_of_its_own_and_a_line_of_help(capsys):
    with pytest.raises(SystemExit):
        cli.main(["--help"])

    listed = capsys.readouterr().out
    names = [each.name for each in cli.COMMANDS]
    assert len(set(names)) == len(names)
    assert all(re.search(rf"^    {name}\s", listed, re.MULTILINE) for name in names)
