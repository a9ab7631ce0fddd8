"""What a command of ``python -m app`` is."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Environment = Mapping[str, str]


class Stopped(Exception):
    """A command cannot go on; the message says why and what to do, its notes more."""


def _takes_none(_: ArgumentParser) -> None:
    """Take no arguments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command: a line of help, its arguments, and its work.

    `run` returns the exit code: 0 done, 1 failed, 2 wrongly called. It may raise
    `Stopped`, which ends with 1.
    """

    name: str
    help: str
    run: Callable[[Namespace, Environment], int]
    arguments: Callable[[ArgumentParser], None] = _takes_none
