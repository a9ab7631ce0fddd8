"""``python -m app``: commands for whoever runs a server, or tries one out."""

import argparse
import os
import sys
from collections.abc import Sequence

from app.cli import (
    demo,
    doctor,
    make_key,
    migrate,
    migrate_store,
    reset_password,
    rotate_keys,
)
from app.cli.command import Command, Environment, Stopped

COMMANDS: Sequence[Command] = (
    demo.COMMAND,
    doctor.COMMAND,
    migrate.COMMAND,
    migrate_store.COMMAND,
    rotate_keys.COMMAND,
    make_key.COMMAND,
    reset_password.COMMAND,
)


def main(
    arguments: Sequence[str] | None = None,
    env: Environment = os.environ,
    commands: Sequence[Command] = COMMANDS,
) -> int:
    """Run one command and return the exit code: 0 done, 1 failed, 2 wrongly called."""
    asked = _parser(commands).parse_args(arguments)
    command: Command = asked.command
    try:
        return command.run(asked, env)
    except Stopped as error:
        notes: list[str] = getattr(error, "__notes__", [])
        told = f"The command {command.name} failed: {error}"
        sys.stderr.write("\n".join([told, *notes, ""]))
        return 1


def _parser(commands: Sequence[Command]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m app", description=__doc__)
    listed = parser.add_subparsers(required=True, metavar="command")
    for command in commands:
        one = listed.add_parser(command.name, help=command.help)
        one.set_defaults(command=command)
        command.arguments(one)
    return parser
