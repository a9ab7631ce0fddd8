"""Bringing a database's schema up to date."""

import logging
from collections.abc import Sequence
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection

log = logging.getLogger(__name__)
HERE = Path(__file__).parent / "migrations"


def upgrade(connection: Connection) -> bool:
    """Run what has not been run yet, in the caller's transaction; tell if any was.

    A database that a newer release has migrated is left as it is: migrations only
    add, so that older code goes on working.
    """
    config = Config()
    config.set_main_option("script_location", str(HERE).replace("%", "%%"))
    config.attributes["connection"] = connection
    scripts = ScriptDirectory.from_config(config)
    found = MigrationContext.configure(connection).get_current_revision()
    if found == scripts.get_current_head():
        return False
    if found is not None and not _is_known(scripts, found):
        log.warning("Database is newer than this release", extra={"revision": found})
        return False
    command.upgrade(config, "head")
    log.info("Database migrated", extra={"revision": scripts.get_current_head()})
    return True


def known() -> Sequence[str]:
    """Return every revision of this release, the first one first."""
    scripts = ScriptDirectory(str(HERE))
    return [each.revision for each in scripts.walk_revisions()][::-1]


def _is_known(scripts: ScriptDirectory, revision: str) -> bool:
    try:
        return scripts.get_revision(revision) is not None
    except CommandError:
        return False
