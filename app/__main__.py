"""Entry of ``python -m app``."""

import sys

from app.cli import COMMANDS, main
from app.cli.command import Command
from app.worker import main as execute

WORKER = Command(
    name="worker",
    help="execute what web processes accept; needs REDIS_URL, and the same settings",
    run=lambda _, env: execute(env),
)

if __name__ == "__main__":
    sys.exit(main(commands=(*COMMANDS, WORKER)))
