"""The tables brought up to date by who owns them, before the service starts."""

import sys
from argparse import Namespace

from app.cli.command import Command, Environment, Stopped
from app.domain.errors import StoreUnavailable
from app.settings import Settings
from app.store.sql import SqlStore

NEEDED = ("DATABASE_URL", "SLUICE_DATA_DIR")


def _migrate(_: Namespace, env: Environment) -> int:
    """Prepare the store, which migrates it."""
    try:
        settings = Settings.from_env({n: env[n] for n in NEEDED if n in env})
        SqlStore(settings.database).prepare()
    except (ValueError, StoreUnavailable) as error:
        raise Stopped(str(error)) from error
    sys.stderr.write("The tables are those of this release.\n")
    return 0


COMMAND = Command(
    name="migrate",
    help="bring the tables of DATABASE_URL up to date, as the role that owns them",
    run=_migrate,
)
