"""``python -m app``: commands that use a server over its HTTP API."""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack

import httpx2

from app.cli import demo, local
from app.cli.client import Client, Refused

KEY = "SLUICE_API_KEY"


def main(
    arguments: Sequence[str] | None = None, env: Mapping[str, str] = os.environ
) -> int:
    """Run one command and return the exit code: 0 done, 1 failed, 2 wrongly called."""
    asked = _parser().parse_args(arguments)
    try:
        return _demo(asked.url, env.get(KEY))
    except (Refused, demo.Unfinished, local.NotStarted, httpx2.HTTPError) as error:
        notes: list[str] = getattr(error, "__notes__", [])
        sys.stderr.write("\n".join([f"The demo failed: {error}", *notes, ""]))
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m app", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    one = commands.add_parser(
        "demo",
        help="send one sample event through a workflow and show what became of it",
    )
    one.add_argument(
        "--url",
        help="a running server; its API key is read from the environment variable "
        f"{KEY}. Without --url, a server is started for the demo, with data of its "
        "own that is removed afterwards",
    )
    return parser


def _demo(url: str | None, key: str | None) -> int:
    with ExitStack() as stack:
        if url is None:
            client = stack.enter_context(Client(stack.enter_context(local.server())))
            client.register()
        elif not key:
            sys.stderr.write(f"--url needs an API key in {KEY}, with scope write\n")
            return 2
        else:
            client = stack.enter_context(Client(url, key=key))
        return demo.run(client)
